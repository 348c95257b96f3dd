"""Fill the credits of an attribution: table `attribution.<name>` (model, channel, day, conversions, value)."""

from dataclasses import dataclass, field
from datetime import date

import duckdb

from ml.attribution.credits import CREDITS, stage_credits
from ml.attribution.journeys import stage_journeys
from ml.definition import WORDS, text_hash
from profiles_assets.events.load import newest_day
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.attribution import Attribution, Touchpoint
from profiles_assets.project.project import Declared, Project
from profiles_assets.traits.columns import EventColumns, event_columns
from profiles_assets.traits.compile import visible
from profiles_assets.traits.evaluate import upstream
from profiles_assets.traits.verbs import EXACT
from resources import progress
from resources.lake import Lake
from resources.tables import Change, Merge, exists, quote, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection
NOBODY = "SELECT NULL::BIGINT AS profile_key, NULL::TIMESTAMP AS time WHERE false"
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


def credits_step(name: str) -> str:
    """Name of the step that fills it."""
    return f"attribution/{name}"


def definition_hash(found: Declared[Attribution]) -> str:
    """Hash of an attribution as declared; words about it don't count."""
    return text_hash("1", found.entity, found.spec.model_dump_json(exclude=WORDS))


def update_credits(lake: Lake, project: Project, name: str) -> CreditsReport:
    """Bring the credits to the newest load day; writes only what changed."""
    found, step, table = project.attribution[name], credits_step(name), credits_table(name)
    feed = upstream(project, found.entity)

    def compute(con: Con) -> tuple[CreditsReport, str, Merge | None]:
        as_of = newest_day(con, project)
        version = text_hash(progress.fingerprint(con, feed), definition_hash(found), as_of)
        if as_of is None or progress.applied(con, step).get("all") == version:
            return CreditsReport(as_of, *_totals(con, table)), version, None
        stage_events(con, project, found, as_of)
        stage_credits(con, found.spec.direct, float(found.spec.half_life))
        merge = stage_merge(con, table, CREDITS, KEY)
        return CreditsReport(as_of, *_totals(con, CREDITS), merge.change), version, merge

    def write(con: Con, value: tuple[CreditsReport, str, Merge | None]) -> None:
        if value[2] is not None:
            write_merge(con, value[2])
            progress.record(con, step, {"all": value[1]})

    return lake.step(compute, write, [*feed, step])[0]


def stage_events(con: Con, project: Project, found: Declared[Attribution], as_of: date) -> None:
    """Temporary table of the journeys that are visible on a day."""
    create_attribution(con, project, found.entity)
    events, spec = event_columns(con, project), found.spec
    touches = " UNION ALL ".join(_touches(events, found.entity, touch, as_of) for touch in spec.touchpoints)
    amount = EXACT.format(events.value(spec.conversion, spec.value).sql) if spec.value else "1"
    scan = _scan(events, found.entity, spec.conversion, spec.value, as_of)
    won = f"SELECT profile_key AS person, time, coalesce({amount}, 0) AS value FROM ({scan})"
    stage_journeys(con, f"(FROM ({touches}) WHERE channel <> '')", f"({won})", spec.within, as_of)


def _touches(events: EventColumns, entity: str, touch: Touchpoint, as_of: date) -> str:
    channel = f"lower(trim(({events.value(touch.event, touch.channel).sql})::VARCHAR))"
    scan = _scan(events, entity, touch.event, touch.channel, as_of)
    return f"SELECT profile_key AS person, time, {channel} AS channel FROM ({scan})"


def _scan(events: EventColumns, entity: str, event: str, path: str | None, as_of: date) -> str:
    join = f"attribution a ON a.tuple_key = e.{quote(f'tuple_{entity}')}"
    seen = visible(f"DATE '{as_of}'", [None])
    scans = [events.scan(source, [event], [path] if path else [], join, seen) for source in events.sources(event)]
    return " UNION ALL BY NAME ".join(scans) or NOBODY


def _totals(con: Con, table: str) -> tuple[int, float]:
    if not exists(con, table):
        return 0, 0.0
    row = con.execute(f"SELECT sum(conversions), sum(value) FROM {table} WHERE model = 'linear'").fetchone()
    return (round(row[0]), float(row[1])) if row and row[0] is not None else (0, 0.0)
