"""Writes what became of people, each time in one short transaction with the note that it moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

import duckdb
import pyarrow as pa

from profiles_assets.events.suppression import STEP as ERASURES
from profiles_assets.functions import tables
from profiles_assets.functions.frames import Answer
from profiles_assets.functions.tables import ERRORS, RESULTS, SHARED, STATE, STORE
from profiles_assets.functions.versions import state_of
from profiles_assets.project.functions import ProfileFunction
from resources import progress
from resources.tables import literal

Con = duckdb.DuckDBPyConnection
TEXT = pa.string()
ANSWERS = pa.schema(
    [("_person", TEXT), ("fingerprint", pa.int64()), ("profile_id", TEXT), ("table", TEXT), ("destination", TEXT),
     ("traits", TEXT), ("kind", TEXT), ("error", TEXT), ("transform_error", TEXT)]
)  # fmt: skip
FIELDS = attrgetter("person", *ANSWERS.names[1:])
STORED = pa.schema([("_person", TEXT), ("key", TEXT), ("value", TEXT), ("expires", TEXT)])


class MovedError(Exception):
    """Somebody was erased, or another version published, since the events were read."""


@dataclass(frozen=True)
class Writing:
    """What is written to: a version of a function, beside the visible one while it is built."""

    function: ProfileFunction
    version: int
    erasures: str
    as_of: date

    @property
    def mine(self) -> str:
        """Condition of its rows."""
        return f"function = {literal(self.function.name)} AND version = {self.version}"

    def answers(self, con: Con, answers: Sequence[Answer], seconds: float) -> None:
        """Write the answers of people. Raises MovedError."""
        visible = self.check(con)
        con.register("function_answers", _table(answers))
        con.register("function_stored", _stored(answers))
        config = self.function.config
        con.execute(
            f"DELETE FROM {RESULTS} WHERE {self.mine} "
            "AND _person IN (SELECT _person FROM function_answers WHERE kind = '')"
        )
        con.execute(
            f"""INSERT INTO {RESULTS} SELECT $name, $version, $version, _person, profile_id,
                CASE WHEN traits IS NOT NULL THEN coalesce("table", $table) END,
                CASE WHEN traits IS NOT NULL THEN coalesce(destination, nullif($destination, '')) END,
                traits, fingerprint FROM function_answers WHERE kind = ''""",
            {"name": self.function.name, "version": self.version, "table": self.function.table,
             "destination": config.destination},
        )  # fmt: skip
        self._keep_last_good(con, visible)
        self._errors(con)
        self._store(con, SHARED if visible == self.version else self.version)
        if visible == self.version:
            self.moved(con)
        else:
            failed = sum(bool(answer.kind) for answer in answers)
            con.execute(
                f"UPDATE {STATE} SET done = done + ?, errors = errors + ?, seconds = seconds + ? WHERE function = ?",
                [len(answers), failed, seconds, self.function.name],
            )

    def begin(self, con: Con, done: int, total: int) -> None:
        """Note how many people there are to build."""
        self.check(con)
        con.execute(f"UPDATE {STATE} SET done = ?, total = ? WHERE function = ?", [done, total, self.function.name])

    def check(self, con: Con) -> int | None:
        """The visible version, once it is sure that what was computed may be written. Raises MovedError."""
        state = state_of(con, self.function.name)
        if state is None or self.version not in (state.visible, state.target):
            raise MovedError
        if progress.fingerprint(con, [ERASURES]) != self.erasures:
            raise MovedError
        return state.visible

    def moved(self, con: Con) -> None:
        """Note that visible rows have changed, and make the views of their tables."""
        note = f"functions/{self.function.name}"
        last = progress.applied(con, note).get("all", "0").partition("/")[0]
        progress.record(con, note, {"all": f"{int(last) + 1}/{self.version}"})
        written = con.execute(
            f'SELECT DISTINCT "table" FROM {RESULTS} WHERE {self.mine} AND "table" IS NOT NULL'
        ).fetchall()
        have = con.execute(
            "SELECT view_name FROM duckdb_views() WHERE database_name = 'lake' AND schema_name = 'functions'"
        ).fetchall()
        for table in sorted({self.function.table, *(row[0] for row in written)} - {row[0] for row in have}):
            tables.create_view(con, table)

    def remove(self, con: Con, gone: Sequence[str]) -> None:
        """Delete the rows of people who are no longer computed. Raises MovedError."""
        visible = self.check(con)
        con.register("function_gone", pa.table({"_person": pa.array(gone, TEXT)}))
        for table in (RESULTS, ERRORS):
            con.execute(f"DELETE FROM {table} WHERE {self.mine} AND _person IN (SELECT _person FROM function_gone)")
        if visible == self.version:
            name = literal(self.function.name)
            con.execute(
                f"DELETE FROM {STORE} WHERE function = {name} AND _person IN (SELECT _person FROM function_gone)"
            )
            self.moved(con)

    def _keep_last_good(self, con: Con, visible: int | None) -> None:
        """Rows that people have of the visible version, for those whom a new version fails."""
        if visible is None or visible == self.version:
            return
        con.execute(
            f"""INSERT INTO {RESULTS} SELECT function, {self.version}, code_version, _person, profile_id, "table",
                destination, traits, NULL FROM {RESULTS} old
            WHERE function = {literal(self.function.name)} AND version = {visible}
                AND _person IN (SELECT _person FROM function_answers WHERE kind <> '')
                AND NOT EXISTS (FROM {RESULTS} r WHERE {self.mine} AND r._person = old._person)"""
        )

    def _errors(self, con: Con) -> None:
        con.execute(f"DELETE FROM {ERRORS} WHERE {self.mine} AND _person IN (SELECT _person FROM function_answers)")
        con.execute(
            f"""INSERT INTO {ERRORS} SELECT $1, $2, _person, fingerprint, kind, error, $3 FROM (
                SELECT _person, fingerprint, kind, error FROM function_answers WHERE kind <> '' UNION ALL
                SELECT _person, fingerprint, 'transform', transform_error FROM function_answers
                WHERE transform_error <> '')""",
            [self.function.name, self.version, self.as_of],
        )

    def _store(self, con: Con, version: int) -> None:
        where = f"function = {literal(self.function.name)} AND version = {version}"
        con.execute(
            f"DELETE FROM {STORE} WHERE {where} AND (_person, key) IN (SELECT (_person, key) FROM function_stored)"
        )
        deleted = "WHERE value IS NOT NULL" if version == SHARED else ""
        con.execute(
            f"INSERT INTO {STORE} SELECT $1, $2, _person, key, value, expires::DATE FROM function_stored {deleted}",
            [self.function.name, version],
        )


def switch(con: Con, writing: Writing) -> None:
    """Let people see a version that is complete, in the caller's transaction. Raises MovedError."""
    before, name = writing.check(con), literal(writing.function.name)
    con.execute(f"UPDATE {STATE} SET visible = {writing.version} WHERE function = {name}")
    kept = ", ".join(str(version) for version in {writing.version, before} if version is not None)
    con.execute(f"DELETE FROM {RESULTS} WHERE function = {name} AND version NOT IN ({kept})")
    con.execute(f"DELETE FROM {ERRORS} WHERE function = {name} AND version <> {writing.version}")
    con.execute(
        f"""DELETE FROM {STORE} WHERE function = {name} AND version = {SHARED} AND (_person, key) IN
        (SELECT (_person, key) FROM {STORE} WHERE {writing.mine})"""
    )
    con.execute(
        f"INSERT INTO {STORE} SELECT function, {SHARED}, _person, key, value, expires FROM {STORE} "
        f"WHERE {writing.mine} AND value IS NOT NULL"
    )
    con.execute(f"DELETE FROM {STORE} WHERE function = {name} AND version <> {SHARED}")
    writing.moved(con)


def _table(answers: Sequence[Answer]) -> pa.Table:
    columns = zip(*map(FIELDS, answers), strict=True) if answers else [[]] * len(ANSWERS)
    return pa.table(dict(zip(ANSWERS.names, map(list, columns), strict=True)), schema=ANSWERS)


def _stored(answers: Sequence[Answer]) -> pa.Table:
    rows = [(answer.person, *change) for answer in answers if not answer.kind for change in answer.stored]
    columns = zip(*rows, strict=True) if rows else [[]] * len(STORED)
    return pa.table(dict(zip(STORED.names, map(list, columns), strict=True)), schema=STORED)
