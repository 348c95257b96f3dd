"""Fill the tables of an attribution.

`attribution.<name>` has the credits (model, channel, day, conversions, value, cost), `<name>__people` what comes back
as traits, and `<name>__flows` the steps of the journeys, for their picture.
"""

from dataclasses import dataclass, field
from datetime import date

import duckdb

from ml.attribution.credits import CREDITS, FLOWS, PEOPLE, add_costs, stage_credits, stage_flows, stage_people
from ml.attribution.journeys import NONE, stage_journeys
from ml.definition import WORDS, text_hash
from profiles_assets.events.load import newest_day
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.attribution import Attribution, Touchpoint
from profiles_assets.project.project import Declared, Project
from profiles_assets.project.score_columns import PEOPLE as OF_PEOPLE
from profiles_assets.traits.columns import EventColumns, event_columns
from profiles_assets.traits.compile import owner_join, visible
from profiles_assets.traits.evaluate import upstream
from profiles_assets.traits.verbs import EXACT
from resources import progress
from resources.lake import Lake
from resources.tables import Change, Merge, exists, quote, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection
NOBODY = "SELECT NULL::BIGINT AS profile_key, NULL::TIMESTAMP AS time, NULL::DATE AS event_day WHERE false"
COSTLESS = "(SELECT NULL::BIGINT AS profile_key) a ON true"
KEY = ["model", "channel", "day"]


@dataclass(frozen=True)
class CreditsReport:
    """What filling the credits changed, and how many conversions there are."""

    as_of: date | None
    conversions: int = 0
    value: float = 0.0
    change: Change = field(default_factory=Change)


def credits_table(name: str) -> str:
    """Table of the credits of an attribution."""
    return f"attribution.{quote(name)}"


def people_table(name: str) -> str:
    """Table of the credited mix of each person."""
    return f"attribution.{quote(name + OF_PEOPLE)}"


def flows_table(name: str) -> str:
    """Table of the steps of journeys."""
    return f"attribution.{quote(name + '__flows')}"


def credits_step(name: str) -> str:
    """Name of the step that fills it."""
    return f"attribution/{name}"


def definition_hash(found: Declared[Attribution]) -> str:
    """Hash of an attribution as declared; words about it don't count."""
    return text_hash("2", found.entity, found.spec.model_dump_json(exclude=WORDS))


def update_credits(lake: Lake, project: Project, name: str) -> CreditsReport:
    """Bring the credits to the newest load day; writes only what changed."""
    found, step, table = project.attribution[name], credits_step(name), credits_table(name)
    feed = upstream(project, found.entity)

    def compute(con: Con) -> tuple[CreditsReport, str, list[Merge]]:
        as_of = newest_day(con, project)
        version = text_hash(progress.fingerprint(con, feed), definition_hash(found), as_of)
        if as_of is None or progress.applied(con, step).get("all") == version:
            return CreditsReport(as_of, *_totals(con, table)), version, []
        stage_events(con, project, found, as_of)
        merges = _stage(con, project, found, as_of)
        return CreditsReport(as_of, *_totals(con, CREDITS), merges[0].change), version, merges

    def write(con: Con, value: tuple[CreditsReport, str, list[Merge]]) -> None:
        for merge in value[2]:
            write_merge(con, merge)
        if value[2]:
            progress.record(con, step, {"all": value[1]})

    return lake.step(compute, write, [*feed, step])[0]


def _stage(con: Con, project: Project, found: Declared[Attribution], as_of: date) -> list[Merge]:
    stage_events(con, project, found, as_of)
    stage_credits(con, found.spec.direct, float(found.spec.half_life))
    add_costs(con, costs_sql(con, project, found, as_of))
    stage_people(con, found.spec.mix)
    stage_flows(con)
    return [
        stage_merge(con, credits_table(found.name), CREDITS, KEY),
        stage_merge(con, people_table(found.name), PEOPLE, ["profile_id"]),
        stage_merge(con, flows_table(found.name), FLOWS, ["step", "source", "target"]),
    ]


def costs_sql(con: Con, project: Project, found: Declared[Attribution], as_of: date) -> str:
    """SELECT of the costs (channel, day, amount) that are visible on a day, in brackets; empty without any."""
    events = event_columns(con, project)
    parts = [
        f"SELECT {_channel(events, cost.event, cost.channel)} AS channel, event_day AS day, "
        f"{EXACT.format(events.value(cost.event, cost.amount).sql)} AS amount "
        f"FROM ({_scan(events, COSTLESS, cost.event, [cost.channel, cost.amount], as_of)})"
        for cost in found.spec.costs
    ]
    return f"(FROM ({' UNION ALL '.join(parts)}) WHERE channel <> '' AND amount IS NOT NULL)" if parts else ""


def stage_events(con: Con, project: Project, found: Declared[Attribution], as_of: date) -> None:
    """Temporary table of the journeys that are visible on a day."""
    create_attribution(con, project, found.entity)
    events, spec = event_columns(con, project), found.spec
    touches = " UNION ALL ".join(_touches(events, found.entity, touch, as_of) for touch in spec.touchpoints)
    amount = EXACT.format(events.value(spec.conversion, spec.value).sql) if spec.value else "1"
    scan = _scan(
        events, owner_join("attribution", found.entity), spec.conversion, [spec.value] if spec.value else [], as_of
    )
    won = f"SELECT profile_key AS person, time, event_day AS day, coalesce({amount}, 0) AS value FROM ({scan})"
    stage_journeys(con, f"(FROM ({touches}) WHERE channel NOT IN ('', '{NONE}'))", f"({won})", spec.within, as_of)


def _touches(events: EventColumns, entity: str, touch: Touchpoint, as_of: date) -> str:
    channel = _channel(events, touch.event, touch.channel)
    scan = _scan(events, owner_join("attribution", entity), touch.event, [touch.channel], as_of)
    return f"SELECT profile_key AS person, time, event_day AS day, {channel} AS channel FROM ({scan})"


def _channel(events: EventColumns, event: str, path: str) -> str:
    return f"lower(trim(({events.value(event, path).sql})::VARCHAR))"


def _scan(events: EventColumns, join: str, event: str, paths: list[str], as_of: date) -> str:
    seen = visible(f"DATE '{as_of}'", [None])
    scans = [events.scan(source, [event], paths, join, seen) for source in events.sources(event)]
    return " UNION ALL BY NAME ".join(scans) or NOBODY


def _totals(con: Con, table: str) -> tuple[int, float]:
    if not exists(con, table):
        return 0, 0.0
    row = con.execute(f"SELECT sum(conversions), sum(value) FROM {table} WHERE model = 'linear'").fetchone()
    return (round(row[0]), float(row[1])) if row and row[0] is not None else (0, 0.0)
