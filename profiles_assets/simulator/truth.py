"""The truth beside the landing folder: who is who, what links them, who left and why."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import csv

from profiles_assets.simulator import browsing
from profiles_assets.simulator.arrays import DAY_MS, NONE, Bools, Floats, Ints, Rows, concat
from profiles_assets.simulator.counts import source_counts, totals
from profiles_assets.simulator.noise import CLEAN, epoch_ms
from profiles_assets.simulator.people import ANONYMOUS, KINDS, REGISTERED, person_names
from profiles_assets.simulator.world import ID_TYPES, SOURCES, World

ID_COLUMNS = tuple(ID_TYPES.values())
TUPLES = """
    SELECT source, {ids}, count(*) AS rows, min(load) AS first_day,
        CASE WHEN min(person) = max(person) THEN min(person) END AS person
    FROM evidence WHERE (user >= 0)::INT + (email >= 0)::INT + (device >= 0)::INT + (anonymous >= 0)::INT > 1
    GROUP BY source, {ids} ORDER BY source, {ids}"""


def _evidence(world: World, last: int) -> Rows:
    """What a correct reader sees by the end of the last day: clean rows, void ids left out."""
    parts = []
    for number, source in enumerate(SOURCES):
        rows = world.loaded(source, 0, last)
        rows = rows.take(rows["role"] == CLEAN)
        ids = {name: np.where(rows[name] < world.void(name), rows[name], NONE) for name in ID_COLUMNS}
        parts.append(Rows({"source": rows.full(number), "person": rows["person"], "load": rows["load"], **ids}))
    return concat(parts)


def _owners(evidence: Rows, column: str, people: int) -> tuple[Ints, Ints]:
    """Every (id, person) that occurs, bots left out."""
    seen = (evidence[column] != NONE) & (evidence["person"] != NONE)
    pairs = np.unique(evidence[column][seen] * people + evidence["person"][seen])
    return pairs // people, pairs % people


def _shared(codes: Ints, count: int) -> Bools:
    return np.bincount(codes, minlength=count) > 1


def _identities(world: World, owners: dict[str, tuple[Ints, Ints]], shared: dict[str, Bools]) -> pa.Table:
    names = pa.array(person_names(len(world.people)))
    parts = []
    for id_type, column in ID_TYPES.items():
        codes, person = owners[column]
        parts.append(
            pa.table(
                {
                    "id_type": pa.array([id_type] * len(codes), pa.string()),
                    "value": world.ids[column].take(pa.array(codes)),
                    "person": names.take(pa.array(person)),
                    "shared": pa.array(shared[column][codes]),
                }
            )
        )
    return pa.concat_tables(parts)


def _links(world: World, evidence: Rows, shared: dict[str, Bools]) -> pa.Table:
    """The distinct combinations of at least two ids, and whether one of them is shared."""
    with duckdb.connect() as con:
        con.register("evidence", pa.table({name: pa.array(data) for name, data in evidence.columns.items()}))
        found = con.sql(TUPLES.format(ids=", ".join(ID_COLUMNS))).to_arrow_table()
    codes = {name: found.column(name).to_numpy() for name in ID_COLUMNS}
    passes = np.any([(codes[name] != NONE) & shared[name][codes[name]] for name in ID_COLUMNS], axis=0)
    ids = {
        id_type: world.ids[name].take(pa.array(codes[name], mask=codes[name] == NONE))
        for id_type, name in ID_TYPES.items()
    }
    days = pa.array([world.day(index).isoformat() for index in range(world.settings.horizon + 1)])
    names = pa.array(person_names(len(world.people)))
    person = found.column("person").to_pandas().fillna(NONE).to_numpy(np.int64)
    return pa.table(
        {
            "source": pa.array(SOURCES).take(found.column("source")),
            **ids,
            "person": names.take(pa.array(person, mask=person == NONE)),
            "rows": found.column("rows"),
            "first_day": days.take(found.column("first_day")),
            "through_shared": pa.array(passes),
        }
    )


def _moments(world: World, times: Floats, last: int) -> pa.Array:
    """Times as text; those never or after the last day are empty, those before the start are the start."""
    happened = times < last + 1
    days = np.clip(np.where(happened, times, 0), 0, None)
    stamps = (epoch_ms(world.settings.start) + (days * DAY_MS).astype(np.int64)).astype("datetime64[ms]")
    texts = np.datetime_as_string(stamps, unit="s")
    return pa.array([f"{text}Z" if known else "" for text, known in zip(texts, happened, strict=True)])


def _people(world: World, last: int) -> pa.Table:
    people, away = world.people, world.purchases.driven_away
    orders = world.loaded("orders", 0, last)
    orders = orders.take(orders["role"] == CLEAN)
    left = np.minimum(away, people.leaves_at)
    cause = np.where(away < people.leaves_at, "delivery_damaged", "lost_interest")
    email = people.email_at(np.arange(len(people)), np.full(len(people), last + 1.0))
    table = pa.table(
        {
            "person": pa.array(person_names(len(people))),
            "kind": pa.array(KINDS).take(pa.array(people.kind)),
            "user_id": world.ids["user"].take(
                pa.array(np.arange(len(people)), mask=(people.kind != REGISTERED) | (people.signed_up > last + 1))
            ),
            "email": world.ids["email"].take(pa.array(email, mask=people.kind == ANONYMOUS)),
            "joined_at": _moments(world, people.joined, last),
            "signed_up_at": _moments(world, people.signed_up, last),
            "email_changed_at": _moments(world, people.email_changed, last),
            "buyer": pa.array(people.buys),
            "order_rate_per_day": pa.array(people.order_rate),
            "median_order_value": pa.array(people.order_value),
            "orders": np.bincount(orders["person"], minlength=len(people)),
            "spend": np.bincount(orders["person"], orders["cents"], minlength=len(people)) / 100,
            "reported_damage_and_left": pa.array(away < last + 1),
            "churned_at": _moments(world, left, last),
            "churn_cause": pa.array(np.where(left < last + 1, cause, "")),
        }
    )
    return table.filter(pa.array(people.joined < last + 1))


def _write_csv(folder: Path, name: str, table: pa.Table) -> None:
    csv.write_csv(table, folder / f"{name}.csv", csv.WriteOptions(quoting_style="needed"))


def _bots(world: World) -> pa.Table:
    bots = browsing.bot_count(world.settings)
    names = world.ids["anonymous"]
    return pa.table({"anonymous_id": names.slice(len(names) - bots)})


def write_truth(out: Path, world: World, last: int) -> dict[str, dict[str, int]]:
    """Write the truth as of the end of the last day, and return the totals per source."""
    folder = out / "truth"
    folder.mkdir(parents=True, exist_ok=True)
    evidence = _evidence(world, last)
    owners = {name: _owners(evidence, name, len(world.people)) for name in ID_COLUMNS}
    shared = {name: _shared(codes, len(world.ids[name])) for name, (codes, _) in owners.items()}
    _write_csv(folder, "identities", _identities(world, owners, shared))
    _write_csv(folder, "links", _links(world, evidence, shared))
    _write_csv(folder, "people", _people(world, last))
    _write_csv(folder, "bots", _bots(world))
    counts = {source: source_counts(world, source, last) for source in SOURCES}
    sums = {source: totals(days) for source, days in counts.items()}
    document = {"last_day": world.day(last).isoformat(), "totals": sums, "sources": counts}
    (folder / "counts.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return sums
