"""Notes of what each step has applied, committed together with the rows it made.

A step is an asset key such as `id_edges`; a partition is any name within it (usually `source/day`); a
version is a hash of the content that went in. A step is done when its notes equal those of its input.
"""

from collections.abc import Mapping, Sequence

import duckdb

Con = duckdb.DuckDBPyConnection


def create(con: Con) -> None:
    """Create the table of notes."""
    con.execute("CREATE TABLE IF NOT EXISTS ops.progress (step VARCHAR, partition VARCHAR, version VARCHAR)")


def applied(con: Con, step: str) -> dict[str, str]:
    """Partitions that a step has applied, each with the version of its content."""
    rows = con.execute("SELECT partition, version FROM ops.progress WHERE step = ?", [step]).fetchall()
    return dict(rows)


def record(con: Con, step: str, versions: Mapping[str, str], removed: Sequence[str] = ()) -> None:
    """Note that a step has applied these partitions (and dropped the removed ones)."""
    gone = [*versions, *removed]
    if not gone:
        return
    con.execute("DELETE FROM ops.progress WHERE step = ? AND list_contains(?, partition)", [step, gone])
    con.execute(
        "INSERT INTO ops.progress SELECT ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
        [step, list(versions), list(versions.values())],
    )


def pending(upstream: Mapping[str, str], done: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Partitions of the input that are new or changed, and those that are gone, against what is done."""
    changed = {name: version for name, version in upstream.items() if done.get(name) != version}
    return changed, [name for name in done if name not in upstream]


def fingerprint(con: Con, steps: Sequence[str]) -> str:
    """Hash of the notes of these steps: equal as long as none of them has moved."""
    row = con.execute(
        "SELECT md5(coalesce(string_agg(concat_ws('|', step, partition, version), ';' "
        "ORDER BY step, partition, version), '')) FROM ops.progress WHERE list_contains(?, step)",
        [list(steps)],
    ).fetchone()
    assert row is not None
    return str(row[0])
