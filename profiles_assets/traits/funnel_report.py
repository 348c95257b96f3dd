"""Fill the tables of a funnel: a row per person, and a row per step and as_of that says how many came that far."""

import hashlib
from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.events.load import newest_day
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.funnels import REPORT, Funnel, funnel_columns
from profiles_assets.project.project import Declared, Project
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.evaluate import stage_people, upstream
from profiles_assets.traits.funnels import compile_reached, funnel_values
from resources import progress
from resources.lake import Lake
from resources.tables import Change, Merge, exists, literal, quote, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection
WORDS = {"title", "description", "owner"}


@dataclass(frozen=True)
class FunnelReport:
    """What filling a funnel changed, as of when, and how many people there are, started and completed it."""

    as_of: date | None
    people: int = 0
    started: int = 0
    completed: int = 0
    change: Change = field(default_factory=Change)


@dataclass(frozen=True)
class StepReport:
    """A row of the report.

    Conversions are shares of the people of the step before, and of those who took the first; the first step has
    1.0 for both. `median_hours` go from the start to this step, among all who reached it.
    """

    as_of: date
    step: int
    title: str
    people: int
    step_conversion: float | None
    conversion: float | None
    median_hours: float | None


@dataclass(frozen=True)
class _Plan:
    report: FunnelReport
    version: str
    merges: tuple[Merge, ...] = ()


def funnel_table(name: str) -> str:
    """Table with one row per person: profile_id and the columns of the funnel."""
    return f"funnels.{quote(name)}"


def report_table(name: str) -> str:
    """Table with one row per as_of and step."""
    return f"funnels.{quote(name + REPORT)}"


def update_funnel(lake: Lake, project: Project, name: str) -> FunnelReport:
    """Bring the tables of a funnel to the newest load day; only rows of people who changed are rewritten.

    The report keeps the rows of other days.
    """
    funnel, step = project.funnels[name], f"funnels/{name}"

    def compute(con: Con) -> _Plan:
        as_of = newest_day(con, project)
        version = funnel_version(con, project, funnel, as_of)
        if as_of is None or progress.applied(con, step).get("all") == version:
            return _Plan(_counted(con, funnel_table(name), name, as_of), version)
        _stage(con, project, funnel, as_of)
        rows = stage_merge(con, funnel_table(name), "staged_funnel", ["profile_id"])
        steps = stage_merge(con, report_table(name), "staged_report", ["step"], f"as_of = DATE '{as_of}'")
        return _Plan(_counted(con, "staged_funnel", name, as_of, rows.change), version, (rows, steps))

    def write(con: Con, plan: _Plan) -> None:
        for merge in plan.merges:
            write_merge(con, merge)
        if plan.merges:
            progress.record(con, step, {"all": plan.version})

    return lake.step(compute, write, [*upstream(project, funnel.entity), step]).report


def funnel_version(con: Con, project: Project, funnel: Declared[Funnel], as_of: date | None) -> str:
    """Hash of everything the tables of a funnel are made from."""
    parts = (progress.fingerprint(con, upstream(project, funnel.entity)), definition_hash(funnel), as_of)
    return hashlib.md5("|".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def definition_hash(funnel: Declared[Funnel]) -> str:
    """Hash of a funnel as declared; words about it as a whole don't count."""
    text = f"{funnel.entity}: {funnel.spec.model_dump_json(exclude=WORDS)}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def read_report(con: Con, name: str) -> list[StepReport]:
    """Steps of the newest as_of, in order; empty before the funnel was first filled."""
    table = report_table(name)
    if not exists(con, table):
        return []
    rows = con.execute(f"FROM {table} WHERE as_of = (SELECT max(as_of) FROM {table}) ORDER BY step").fetchall()
    return [StepReport(*row) for row in rows]


def step_titles(funnel: Funnel) -> list[str]:
    """Steps in words; in any order it is how many of them that counts."""
    count = len(funnel.steps)
    if funnel.order == "any":
        return [f"{k} of {count}" for k in range(1, count + 1)]
    return [step.title for step in funnel.steps]


def _stage(con: Con, project: Project, funnel: Declared[Funnel], as_of: date) -> None:
    """Temporary tables `staged_funnel` and `staged_report`, from one computation."""
    stage_people(con, funnel.entity)
    create_attribution(con, project, funnel.entity)
    sql = compile_reached(funnel, event_columns(con, project), f"DATE '{as_of}'")
    con.execute(f"CREATE OR REPLACE TEMP TABLE staged_reached AS {sql}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE staged_funnel AS SELECT {funnel_values(funnel)} FROM staged_reached")
    con.execute(f"CREATE OR REPLACE TEMP TABLE staged_report AS {_report_sql(funnel.spec, as_of)}")


def _report_sql(funnel: Funnel, as_of: date) -> str:
    titles = ", ".join(literal(title) for title in step_titles(funnel))
    return f"""WITH reached AS (
        SELECT generate_subscripts(hours, 1) AS step, unnest(hours) AS hours FROM staged_reached),
    counted AS (SELECT step, count(hours) AS people, median(hours) AS median_hours FROM reached GROUP BY step),
    steps AS (
        SELECT s.step::BIGINT AS step, s.title, coalesce(c.people, 0) AS people, c.median_hours
        FROM (SELECT generate_subscripts([{titles}], 1) AS step, unnest([{titles}]) AS title) s
        LEFT JOIN counted c USING (step))
    SELECT DATE '{as_of}' AS as_of, step, title, people,
        people / nullif(coalesce(lag(people) OVER w, people), 0) AS step_conversion,
        people / nullif(first_value(people) OVER w, 0) AS conversion, median_hours
    FROM steps WINDOW w AS (ORDER BY step)"""


def _counted(con: Con, table: str, name: str, as_of: date | None, change: Change | None = None) -> FunnelReport:
    if not exists(con, table):
        return FunnelReport(as_of)
    step, completed_at, _ = map(quote, funnel_columns(name))
    row = con.execute(
        f"SELECT count(*), count(*) FILTER (WHERE {step} > 0), count({completed_at}) FROM {table}"
    ).fetchone()
    assert row is not None
    return FunnelReport(as_of, row[0], row[1], row[2], change or Change())
