"""Published versions of functions: the code is kept in the lake, numbered from 1."""

import json
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from profiles_assets.functions import tables
from profiles_assets.functions.tables import STATE, VERSIONS
from profiles_assets.project.functions import ProfileFunction, function_of_code
from profiles_assets.project.project import Project
from resources import progress
from resources.lake import Lake

Con = duckdb.DuckDBPyConnection
STEP = "function_versions"


class PublishError(Exception):
    """What was asked to be published cannot be; the text says why."""


@dataclass(frozen=True)
class Version:
    """A published version; `state` is visible, building, or empty."""

    function: str
    version: int
    hash: str
    author: str
    published: datetime
    state: str = ""


@dataclass(frozen=True)
class State:
    """Which version of a function people see, which is to be seen, and how far that is built."""

    visible: int | None
    target: int
    done: int = 0
    total: int = 0
    errors: int = 0
    seconds: float = 0.0

    @property
    def building(self) -> bool:
        """True while the target is not visible."""
        return self.visible != self.target


def publish(lake: Lake, project: Project, name: str, version: int | None = None) -> int:
    """Make the draft the next version, or an older version the one to be seen; runs build it. Raises PublishError."""
    made: list[int] = []

    def action(con: Con) -> None:
        tables.create(con)
        number = _older(con, name, version) if version is not None else _newest(con, project, name)
        before = state_of(con, name)
        if before and before.target == number:
            raise PublishError(f"version {number} of {name} is published already; there is nothing new")
        visible = before.visible if before else None
        con.execute(f"DELETE FROM {STATE} WHERE function = ?", [name])
        con.execute(f"INSERT INTO {STATE} VALUES (?, ?, ?, 0, 0, 0, 0)", [name, visible, number])
        progress.record(con, STEP, {name: f"{number} after {visible}"})
        made.append(number)

    lake.write(action)
    return made[-1]


def _newest(con: Con, project: Project, name: str) -> int:
    """Number of the version with the code of the draft, stored where it is new."""
    if name not in project.functions:
        raise PublishError(f'there is no function "{name}" in functions/')
    draft = project.functions[name]
    known = con.execute(f"SELECT version, hash FROM {VERSIONS} WHERE function = ? ORDER BY version", [name]).fetchall()
    if known and known[-1][1] == draft.hash:
        return int(known[-1][0])
    number = int(known[-1][0]) + 1 if known else 1
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    row = [name, number, draft.file, draft.code, json.dumps(dict(draft.files)), draft.hash, author(project.root), now]
    con.execute(f"INSERT INTO {VERSIONS} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    return number


def _older(con: Con, name: str, version: int) -> int:
    known = [found.version for found in versions(con, name)]
    if version not in known:
        has = f"it has {known[0]} to {known[-1]}" if known else "it was never published"
        raise PublishError(f"{name} has no version {version}; {has}")
    return version


def versions(con: Con, name: str) -> list[Version]:
    """All versions of a function, oldest first."""
    if not tables.exist(con):
        return []
    state = state_of(con, name)
    rows = con.execute(
        f"SELECT function, version, hash, author, published FROM {VERSIONS} WHERE function = ? ORDER BY version", [name]
    ).fetchall()
    return [replace(Version(*row), state=_word(state, row[1])) for row in rows]


def _word(state: State | None, version: int) -> str:
    if state is None or version not in (state.visible, state.target):
        return ""
    return "visible" if version == state.visible else "building"


def state_of(con: Con, name: str) -> State | None:
    """State of a function; None while it was never published."""
    if not tables.exist(con):
        return None
    columns = ", ".join(State.__dataclass_fields__)
    row = con.execute(f"SELECT {columns} FROM {STATE} WHERE function = ?", [name]).fetchone()
    return State(*row) if row else None


def published(con: Con, project: Project, name: str, version: int) -> ProfileFunction:
    """A published version as a function."""
    row = con.execute(
        f"SELECT file, code, files FROM {VERSIONS} WHERE function = ? AND version = ?", [name, version]
    ).fetchone()
    assert row is not None
    return function_of_code(row[0], row[1], next(iter(project.entities)), json.loads(row[2]))


def author(root: Path) -> str:
    """Who git says is at work in a folder; empty where it says nobody."""
    told = []
    for key in ("user.name", "user.email"):
        try:
            asked = subprocess.run(["git", "-C", str(root), "config", key], capture_output=True, text=True, check=False)  # noqa: S603, S607
        except OSError:
            return ""
        told.append(asked.stdout.strip())
    return f"{told[0]} <{told[1]}>" if all(told) else told[0] or told[1]
