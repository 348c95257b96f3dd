"""Regular expressions that users write, one or a list; the engine that will run them says whether they are any."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints, WithJsonSchema


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


SCHEMA: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Pattern = Annotated[str, StringConstraints(min_length=1)]
Patterns = Annotated[list[Pattern], BeforeValidator(_several), WithJsonSchema(SCHEMA)]

LOOKS = re.compile(r"\(\?<?[=!]|\\[1-9]")
HINT = "patterns cannot look ahead, behind or back here"


def pattern_faults(patterns: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Message and hint about each text that is no regular expression."""
    import duckdb  # takes its time, and most projects have no patterns

    with duckdb.connect() as con:
        for pattern in patterns:
            try:
                con.execute("SELECT regexp_matches('', ?)", [pattern]).fetchall()
            except duckdb.Error as error:
                reason = str(error).splitlines()[0].partition(": ")[2][:80]
                yield f'"{pattern}" is not a regular expression: {reason}', HINT if LOOKS.search(pattern) else ""
