"""Assets `raw_events/<source>`: the files of a source, one partition per load day."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import dagster as dg

from profiles_assets import pictures
from profiles_assets.events.checks import everything_is_applied, records_reconcile, rejects_within_share
from profiles_assets.events.columns import used_paths, wanted_types
from profiles_assets.events.load import LoadReport, load_events
from profiles_assets.events.model_source import inputs_of
from profiles_assets.events.normalised import normalised_counts
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Source
from profiles_assets.shell import (
    FRESHNESS,
    checks,
    daily_partitions,
    log_progress,
    outcome,
    owners,
    report_metadata,
    schema,
)
from resources.lake import Lake

CHECKS = {
    "records_reconcile": "Every record of every file is a row of the table or a reject with its reason.",
    "everything_is_applied": "What lies in the source, for the days of the run, is applied as it is now.",
    "rejects_within_share": "The share of rejects stays under the one declared for the source (warn_rejects).",
}
COLUMNS = {
    "day": ("DATE", "Load day, the partition."),
    "event_day": ("DATE", "Day of the event in the project's time zone."),
    "time": ("TIMESTAMP", "When it happened, UTC."),
    "received": ("TIMESTAMP", "When it arrived, UTC."),
    "event": ("VARCHAR", "Name of the event."),
    "event_id": ("VARCHAR", "Id that makes a repeated event a duplicate."),
    "file": ("VARCHAR", "File the record came from."),
    "position": ("BIGINT", "Number of the record in its file, from 1."),
    "duplicate": ("BOOLEAN", "The same event id arrived before, in this load day or the seven before it."),
    "payload": ("VARCHAR", "The record as it arrived, as JSON."),
    "identify_traits": ("VARCHAR", "What the record says about the person, as JSON."),
}

VERSIONS = {
    "record_key": ("VARCHAR", "Which record it is."),
    "superseded": ("DATE", "Day from which a newer version counts; empty for the newest."),
}


def build_event_assets(project: Project) -> list[dg.AssetsDefinition]:
    """One daily partitioned asset per source."""
    return [_event_asset(project, name, source) for name, source in project.sources.items()]


def event_asset_key(source: str) -> dg.AssetKey:
    """Key of the asset of a source."""
    return dg.AssetKey(["raw_events", source])


def _event_asset(project: Project, name: str, source: Source) -> dg.AssetsDefinition:
    key, described = event_asset_key(name), _columns(project, name, source)

    @dg.asset(
        key=key,
        deps=[event_asset_key(other) for other in inputs_of(project, name)],
        partitions_def=daily_partitions(project),
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="events",
        kinds={"duckdb", "sql" if source.model or source.table else source.file_format},
        owners=owners(source.owner, project.owner),
        freshness_policy=FRESHNESS,
        check_specs=checks(key, CHECKS, warn_only=["rejects_within_share", "everything_is_applied"]),
        metadata=schema(described) | _origin(source),
        description=_description(name, source),
    )
    def raw_events(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult:
        days = [date.fromisoformat(day) for day in context.partition_keys]
        report = load_events(lake, project, name, days, on_progress=log_progress(context))
        with lake.get_connection() as con:
            found = {"records_reconcile": records_reconcile(con, name)}
            share = rejects_within_share(con, name, source.warn_rejects)
            counted = normalised_counts(con, name, report.days)
        return dg.MaterializeResult(
            metadata=_metadata(report, counted),
            check_results=[
                *(outcome(check, result) for check, result in found.items()),
                outcome("everything_is_applied", everything_is_applied(lake, project, name, days), warn=True),
                outcome("rejects_within_share", share, warn=True),
            ],
        )

    return raw_events


def _origin(source: Source) -> dict[str, str]:
    keys = ("files", "model", "table", "watermark")
    return {key: value for key in keys if (value := getattr(source, key))}


def _metadata(report: LoadReport, counted: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    metadata = report_metadata(report)
    metadata |= {f"normalised/{t}/{what}": n for t, numbers in counted.items() for what, n in numbers.items()}
    if report.rejected:
        metadata["why_rejected"] = dg.MetadataValue.md(
            pictures.markdown(pictures.bars(sorted(report.rejected.items())), "rejects by reason")
        )
    return metadata


def _columns(project: Project, name: str, source: Source) -> dict[str, tuple[str, str]]:
    ids = {f"id_{name}": ("VARCHAR", f"Identifier {name}, from {path}.") for name, path in source.ids.items()}
    tuples = {f"tuple_{name}": ("BIGINT", f"Key of the record's ids of one {name}.") for name in project.entities}
    types = wanted_types(source, used_paths(project, name), {})
    properties = {f"p_{path}": (type_ or "", f"Property {path}.") for path, type_ in types.items()}
    return COLUMNS | (VERSIONS if source.kind == "records" else {}) | ids | tuples | properties


def _description(name: str, source: Source) -> str:
    about = source.description or source.title or f"Events of the source {name}."
    ids = ", ".join(f"`{id_type}` ← `{path}`" for id_type, path in source.ids.items())
    told = {"Rows of the model": source.model, "Rows of the table": source.table, "Files": source.files}
    origin = next(f"{words} `{value}`" for words, value in told.items() if value)
    return (
        f"{about}\n\n{pictures.markdown(pictures.pipeline('raw_events'), 'stage raw_events')}\n\n"
        f"{origin}, ids {ids}. Each record is a row here or a reject with its reason in `ops.rejects`."
    )
