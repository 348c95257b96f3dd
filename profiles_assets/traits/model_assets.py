"""Assets `models/<name>`: the rows of each SQL model."""

import hashlib

import dagster as dg

from profiles_assets import pictures
from profiles_assets.events.assets import event_asset_key
from profiles_assets.identity.assets import EDGES, STITCHED
from profiles_assets.project.model_columns import Reading
from profiles_assets.project.model_scopes import model_outputs, read_columns
from profiles_assets.project.model_tables import TableKind
from profiles_assets.project.models import Model
from profiles_assets.project.project import Project
from profiles_assets.shell import (
    FRESHNESS,
    ROW_COUNT,
    automation,
    checks,
    outcome,
    owners,
    report_metadata,
    schema,
    schema_now,
)
from profiles_assets.traits.assets import section_key
from profiles_assets.traits.models import asks_who, built_models, update_model
from resources.lake import Lake
from resources.tables import quote

CHECKS = {"has_rows": "The model gives rows."}


def model_key(name: str) -> dg.AssetKey:
    """Key of the asset of a model."""
    return dg.AssetKey(["models", name])


def build_model_assets(project: Project) -> list[dg.AssetsDefinition]:
    """One asset per model with a table of its own."""
    return [_model_asset(project, project.models[name]) for name in built_models(project)]


def _model_asset(project: Project, model: Model) -> dg.AssetsDefinition:
    reading, key, table = read_columns(project, model), model_key(model.name), f"models.{quote(model.name)}"

    @dg.asset(
        key=key,
        deps=_deps(reading),
        group_name="models",
        kinds={"duckdb", "sql"},
        owners=owners(model.owner or project.owner),
        automation_condition=automation(),
        freshness_policy=FRESHNESS,
        code_version=hashlib.md5(model.sql.encode(), usedforsecurity=False).hexdigest(),
        check_specs=checks(key, CHECKS, warn_only=[*CHECKS]),
        metadata=schema(dict.fromkeys(sorted(model_outputs(project, model.name).known), ("", ""))),
        description=_description(model, reading),
    )
    def rows(lake: Lake) -> dg.MaterializeResult:  # type: ignore[type-arg]
        report = update_model(lake, project, model.name)
        result = outcome("has_rows", (report.rows > 0, {"rows": report.rows}), warn=True)
        metadata = report_metadata(report) | schema_now(lake, table, {}) | {ROW_COUNT: report.rows}
        return dg.MaterializeResult(metadata=metadata, check_results=[result])

    return rows


def _deps(reading: Reading) -> list[dg.AssetKey]:
    found = {_dep(use.kind, use.name) for use in reading.tables}
    if asks_who(reading):
        found |= {EDGES, STITCHED}
    return sorted(found, key=lambda key: key.to_user_string())


def _dep(kind: TableKind, name: str) -> dg.AssetKey:
    match kind:
        case "source":
            return event_asset_key(name)
        case "section":
            return section_key(name)
        case "stitched_ids":
            return STITCHED
        case _:
            return dg.AssetKey([f"{kind}s", name])


def _description(model: Model, reading: Reading) -> str:
    title = model.title or model.name.replace("_", " ")
    inputs = sorted({use.name for use in reading.tables})
    picture = pictures.markdown(pictures.made_from(inputs, f"models/{model.name}"), "what the model is made from")
    about = "\n\n".join(part for part in (title, model.description, picture) if part)
    return f"{about}\n\nRead `models.{model.name}`; made by `{model.file}`:\n\n```sql\n{model.sql.strip()}\n```"
