"""Write the purchase log that the `lifetimes` package carries (MIT licence) as one landing file.

A customer is in the published 1/10 sample when the package's sample file has their number.
"""

from importlib.util import find_spec
from pathlib import Path

import duckdb

HERE = Path(__file__).parent


def prepare(folder: Path = HERE) -> Path:
    """Write `landing/purchases.csv` below a folder. Raises ModuleNotFoundError without the package."""
    target = folder / "landing" / "purchases.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute(f"CREATE TABLE sample AS SELECT DISTINCT parts[1] AS customer FROM ({lines('CDNOW_sample.txt')})")
    con.execute(
        f"""COPY (
            SELECT parts[1] AS customer, strptime(parts[2], '%Y%m%d')::DATE AS day, parts[3] AS discs,
                   parts[4] AS dollars, customer IN (FROM sample) AS sample
            FROM ({lines("CDNOW_master.txt")}) WHERE parts[1] <> 'customer_id'
        ) TO '{target}' (HEADER)"""
    )
    return target


def lines(name: str) -> str:
    """SELECT of the lines of one of the package's files, cut at white space."""
    return (
        "SELECT regexp_split_to_array(trim(line, E' \\r'), '\\s+') AS parts "
        f"FROM read_csv('{dataset(name)}', columns = {{'line': 'VARCHAR'}}, delim = '|', header = false)"
    )


def dataset(name: str) -> Path:
    """Path of a file in the installed `lifetimes` package, which itself is not imported."""
    spec = find_spec("lifetimes")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "the purchase log comes with the package lifetimes; install it with: pip install lifetimes"
        )
    return Path(spec.origin).parent / "datasets" / name


if __name__ == "__main__":
    print(f"wrote {prepare()}")
