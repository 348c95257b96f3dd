"""The code location: everything a project declares, as Dagster definitions."""

import os
from pathlib import Path

import dagster as dg

from ml.assets import build_prediction_assets
from ml.attribution.assets import build_attribution_assets
from profiles_assets.events.assets import build_event_assets
from profiles_assets.functions.assets import build_function_assets, build_function_triggers, build_schedules
from profiles_assets.identity.assets import build_identity_assets
from profiles_assets.identity.audit_assets import build_audit_assets
from profiles_assets.profiles.assets import build_profile_assets
from profiles_assets.profiles.audience_assets import build_audience_assets
from profiles_assets.profiles.view_assets import build_view_assets
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import DEFAULT_PROJECT
from profiles_assets.project.yaml_lines import Document
from profiles_assets.traits.assets import build_trait_assets
from profiles_assets.traits.funnel_assets import build_funnel_assets
from profiles_assets.traits.metric_assets import build_metric_assets
from profiles_assets.traits.model_assets import build_model_assets
from profiles_assets.triggers import build_job, build_triggers
from profiles_assets.upkeep_assets import build_upkeep_assets, build_upkeep_job, build_upkeep_schedule
from resources.kept import kept
from resources.lake import Lake, lake_of
from resources.signals import heed_signals


def build_defs(
    project_dir: str | Path, lake: Lake | None = None, predictions: Document | None = None
) -> dg.Definitions:
    """Assets, checks, job, sensors and schedule of the project in a folder, with predictions that stand elsewhere.

    Raises ProjectError for a wrong one.
    """
    heed_signals()
    project = load_project(Path(project_dir), predictions)
    lake = lake or lake_of(project.root)
    job, upkeep = build_job(), build_upkeep_job()
    triggers = build_triggers(project, lake, job)
    triggers["schedules"].append(build_upkeep_schedule(project, upkeep))
    assets = [
        *build_event_assets(project),
        *build_identity_assets(project),
        *build_audit_assets(project),
        *build_model_assets(project),
        *build_trait_assets(project),
        *build_funnel_assets(project),
        *build_function_assets(project, lake),
        *build_metric_assets(project),
        *(asset for forecast in project.predictions.values() for asset in build_prediction_assets(project, forecast)),
        *build_attribution_assets(project),
        *build_profile_assets(project),
        *build_audience_assets(project),
        *build_view_assets(project),
        *build_upkeep_assets(project),
    ]
    jobs, sensors = build_function_triggers(project, lake)
    own_jobs, schedules = build_schedules(project)
    triggers["schedules"] += schedules
    return dg.Definitions(
        assets=assets,
        jobs=[job, upkeep, *jobs, *own_jobs],
        resources={"lake": kept(lake)},
        executor=dg.in_process_executor,
        **(triggers | {"sensors": [*triggers["sensors"], *sensors]}),
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Definitions of the project in PROFILES_PROJECT, by default the shop example."""
    return build_defs(os.environ.get("PROFILES_PROJECT", DEFAULT_PROJECT))
