"""Erased people as the load knows them: salted hashes of their ids, and of records that mention them.

`identity.suppressions` has a hash per id, with the mode in which it was erased. `identity.suppressed_records` has a
hash per record without such an id that told a value of one: it is dropped, or loses the fields in `patch`.
"""

import secrets
from dataclasses import dataclass

import duckdb

from resources import progress
from resources.tables import exists, literal

Con = duckdb.DuckDBPyConnection

SALT, IDS, RECORDS = "ops.salt", "identity.suppressions", "identity.suppressed_records"
TABLES = {
    SALT: "salt VARCHAR",
    IDS: "entity VARCHAR, hash VARCHAR, mode VARCHAR, day DATE",
    RECORDS: "source VARCHAR, hash VARCHAR, bytes BIGINT, patch VARCHAR, day DATE",
}
STEP = "suppressions"
ERASE, ANONYMISE = "erase", "anonymise"


@dataclass(frozen=True)
class Suppressed:
    """What a load must look for; `records` tells whether records of the source are suppressed by their text."""

    salt: str
    records: bool

    def id_hash(self, entity: str, id_type: str, value: str) -> str:
        """SQL hash of an id, from the SQL of its normalised value."""
        return f"sha256({literal(f'{self.salt}:{entity}:{id_type}:')} || {value})"

    def record_hash(self, source: str, text: str) -> str:
        """SQL hash of the text of a record of a source."""
        return f"sha256({literal(f'{self.salt}:{source}:')} || {text})"


def suppressed(con: Con, source: str) -> Suppressed | None:
    """What a load of a source must look for; None while nobody was erased."""
    if not exists(con, IDS):
        return None
    salt = con.execute(f"SELECT any_value(salt), (SELECT count(*) FROM {IDS}) FROM {SALT}").fetchone()
    if salt is None or not salt[1]:
        return None
    records = con.execute(f"SELECT count(*) FROM {RECORDS} WHERE source = ?", [source]).fetchone()
    return Suppressed(str(salt[0]), bool(records and records[0]))


def seed(con: Con) -> str:
    """Text that changes with every erasure, part of the version of each day that is loaded after it."""
    return progress.applied(con, STEP).get("all", "")


def create(con: Con) -> Suppressed:
    """Create the tables, and the salt the first time, in the caller's transaction."""
    for name, columns in TABLES.items():
        con.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
    found = con.execute(f"SELECT salt FROM {SALT}").fetchone()
    if found is None:
        con.execute(f"INSERT INTO {SALT} VALUES (?)", [secrets.token_hex(32)])
        return create(con)
    return Suppressed(str(found[0]), True)
