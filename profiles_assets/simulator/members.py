"""The loyalty club's weekly export: one record per member that joined or changed tier since the week before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from profiles_assets.simulator import words
from profiles_assets.simulator.arrays import DAY_MS, Floats, Ints
from profiles_assets.simulator.noise import epoch_ms
from profiles_assets.simulator.people import REGISTERED
from profiles_assets.simulator.world import World

EVERY = 7
FILE_NAME = "members.csv"


def members_file(out: Path, world: World, index: int) -> Path:
    """Where the export of a day is written."""
    return out / "landing" / "members" / world.day(index).isoformat() / FILE_NAME


def write_members(out: Path, world: World, first: int, last: int) -> None:
    """Write the exports of the days from first to last; there is one at the end of every week."""
    changes = _changes(world)
    for index in range(first, last + 1):
        if index % EVERY == EVERY - 1:
            path = members_file(out, world, index)
            path.parent.mkdir(parents=True, exist_ok=True)
            csv.write_csv(_export(world, *changes, index), path, csv.WriteOptions(quoting_style="needed"))


def clear_members(out: Path) -> None:
    """Remove the exports of an earlier simulation."""
    for path in (out / "landing" / "members").glob(f"*/{FILE_NAME}"):
        path.unlink()


def _changes(world: World) -> tuple[Ints, Floats]:
    """Who joined or changed tier, and when in days since the start."""
    people = world.people
    members = np.flatnonzero(people.kind == REGISTERED)
    joined = np.clip(people.signed_up[members], 0, None)
    changed = people.plan_changed[members]
    return np.concatenate([members, members]), np.concatenate([joined, changed])


def _export(world: World, who: Ints, when: Floats, index: int) -> pa.Table:
    of_week = (when >= index - EVERY + 1) & (when < index + 1)
    person, time = who[of_week], when[of_week]
    order = np.lexsort((person, time))
    person, time = person[order], time[order]
    stamps = (epoch_ms(world.settings.start) + (time * DAY_MS).astype(np.int64)).astype("datetime64[ms]")
    return pa.table(
        {
            "member_no": pa.array([f"M{number:06}" for number in person]),
            "user_id": world.ids["user"].take(pa.array(person)),
            "email": world.ids["email"].take(pa.array(world.people.email_at(person, time))),
            "tier": pa.array(words.PLANS).take(pa.array(world.people.plan_at(person, time))),
            "changed_at": pa.array([f"{text}Z" for text in np.datetime_as_string(stamps, unit="s")], pa.string()),
        }
    )
