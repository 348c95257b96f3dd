"""DuckDB extensions, loaded from their wheels so that nothing is downloaded at run time."""

from importlib.util import find_spec
from pathlib import Path

import duckdb


def load_extension(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension from its wheel; where the wheel is missing, install it from DuckDB's repository."""
    file = wheel_file(name)
    if file:
        con.execute(f"LOAD '{file}'")
    else:
        con.install_extension(name)
        con.load_extension(name)


def wheel_file(name: str) -> Path | None:
    """Path of the extension file inside an installed `duckdb-extension-…` wheel, if there is one."""
    spec = find_spec(f"duckdb_extension_{name}")
    if spec is None or not spec.submodule_search_locations:
        return None
    version = f"v{duckdb.__version__}"
    file = Path(spec.submodule_search_locations[0]) / "extensions" / version / f"{name}.duckdb_extension"
    return file if file.exists() else None
