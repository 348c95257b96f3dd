"""What changed in the tables of the lake since a snapshot: rows that came and rows that went."""

from dataclasses import dataclass

import duckdb

from resources.tables import exists, literal, quote

Con = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class Feed:
    """Changes of the lake after one snapshot, up to another."""

    since: int
    until: int

    def came(self, schema: str, table: str) -> str:
        """Relation of the rows that a table got; one that was rewritten came and went."""
        return self._changes("insertions", schema, table)

    def went(self, schema: str, table: str) -> str:
        """Relation of the rows that a table lost, as they were."""
        return self._changes("deletions", schema, table)

    def before(self, schema: str, table: str) -> str:
        """Relation of a table as it was."""
        return f"(FROM {quote(schema)}.{quote(table)} AT (VERSION => {self.since}))"

    def _changes(self, kind: str, schema: str, table: str) -> str:
        if self.since == self.until:
            return f"(FROM {quote(schema)}.{quote(table)} LIMIT 0)"
        span = f"{self.since + 1}, {self.until}"
        return f"ducklake_table_{kind}('lake', {literal(schema)}, {literal(table)}, {span})"


def newest_snapshot(con: Con) -> int:
    """Number of the snapshot that a connection reads; -1 outside a lake."""
    try:
        row = con.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()
    except duckdb.Error:
        return -1
    return int(row[0]) if row else -1


def changes_since(con: Con, snapshot: str | None) -> Feed | None:
    """What changed after a snapshot; None where that is none, or one that has been expired."""
    if snapshot is None or not snapshot.isdecimal():
        return None
    now = newest_snapshot(con)
    kept = now >= 0 and con.execute(f"FROM ducklake_snapshots('lake') WHERE snapshot_id = {snapshot}").fetchone()
    return Feed(int(snapshot), now) if kept else None


def tells(con: Con, feed: Feed, schema: str, table: str) -> bool:
    """True when a table was there at the start of a feed and has had the same columns since."""
    if not exists(con, f"{quote(schema)}.{quote(table)}"):
        return False
    try:
        then = con.execute(f"DESCRIBE {feed.before(schema, table)}").fetchall()
    except duckdb.Error:
        return False
    return then == con.execute(f"DESCRIBE {quote(schema)}.{quote(table)}").fetchall()
