"""Pieces that every assets.py shares: partitions, automation, freshness, owners, schemas, metadata."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, timedelta
from typing import Any

import dagster as dg

from profiles_assets.project.project import Project
from resources.lake import Lake
from resources.tables import columns

# a range of days in one step is worth the one beta parameter in use
warnings.filterwarnings("ignore", message=".*backfill_policy.*", category=dg.BetaWarning)

COLUMN_SCHEMA = "dagster/column_schema"
COLUMN_LINEAGE = "dagster/column_lineage"
ROW_COUNT = "dagster/row_count"
FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=72), warn_window=timedelta(hours=36))


def daily_partitions(project: Project) -> dg.DailyPartitionsDefinition:
    """One partition per load day of the project, today included."""
    end = project.end + timedelta(days=1) if project.end else None
    return dg.DailyPartitionsDefinition(
        start_date=project.start.isoformat(),
        end_date=end.isoformat() if end else None,
        timezone=project.timezone,
        end_offset=0 if end else 1,
    )


def automation() -> dg.AutomationCondition[Any]:
    """Run when anything upstream was updated since the last request, one run at a time."""
    condition = dg.AutomationCondition
    updated = condition.any_deps_updated().since(condition.newly_requested() | condition.initial_evaluation())
    return updated & ~condition.in_progress()


def owners(*names: str) -> list[str]:
    """Dagster owners of declared ones: e-mails as they are, anything else as a team."""
    return [name if "@" in name else f"team:{name}" for name in dict.fromkeys(names) if name]


def schema(described: Mapping[str, tuple[str, str]]) -> dict[str, dg.TableSchema]:
    """Column schema metadata of {column: (type, description)}."""
    made = [dg.TableColumn(name, type=type_, description=text or None) for name, (type_, text) in described.items()]
    return {COLUMN_SCHEMA: dg.TableSchema(columns=made)}


def schema_now(lake: Lake, table: str, described: Mapping[str, tuple[str, str]]) -> dict[str, dg.TableSchema]:
    """Column schema metadata of a lake table as it is, with the descriptions that are known."""
    with lake.get_connection() as con:
        have = columns(con, table)
    return schema({name: (type_, described.get(name, ("", ""))[1]) for name, type_ in have.items()})


def lineage(columns: Mapping[str, Sequence[Any]]) -> dict[str, dg.TableColumnLineage]:
    """Column lineage metadata of {column: origins}, each with an `asset` path and a `column`."""
    deps = {
        name: [dg.TableColumnDep(asset_key=dg.AssetKey(o.asset.split("/")), column_name=o.column) for o in origins]
        for name, origins in columns.items()
    }
    return {COLUMN_LINEAGE: dg.TableColumnLineage(deps_by_column=deps)}


def report_metadata(report: Any) -> dict[str, Any]:
    """Flat metadata of a report: numbers and dates as they are, mappings as tables."""
    assert is_dataclass(report)
    assert not isinstance(report, type)
    return {k: v for name, value in asdict(report).items() for k, v in _entries(name, value)}


def _entries(name: str, value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"{name}/{key}", _plain(part)) for key, part in value.items())
    elif value is not None:
        yield name, _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | set):
        return dg.MetadataValue.json([_plain(part) for part in value])
    return value if isinstance(value, str | int | float | bool) else str(value)


def outcome(name: str, found: tuple[bool, dict[str, Any]], warn: bool = False) -> dg.AssetCheckResult:
    """Result of a check; a failed one is an error unless it only warns."""
    severity = dg.AssetCheckSeverity.WARN if warn else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(check_name=name, passed=found[0], metadata=found[1], severity=severity)


def checks(key: dg.AssetKey, described: Mapping[str, str], warn_only: Sequence[str] = ()) -> list[dg.AssetCheckSpec]:
    """Specs of an asset's checks; they block what comes after unless they only warn."""
    return [
        dg.AssetCheckSpec(name, asset=key, description=text, blocking=name not in warn_only)
        for name, text in described.items()
    ]


def log_progress(context: dg.AssetExecutionContext) -> Callable[[str, int, int], None]:
    """Progress callback that writes to the run's log about ten times."""
    last: dict[str, int] = {}

    def note(what: str, done: int, total: int) -> None:
        tenth = done * 10 // max(total, 1)
        if last.get(what) != tenth:
            last[what] = tenth
            context.log.info(f"{what}: {done:,} of {total:,}")

    return note
