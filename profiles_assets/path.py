"""The whole path from landing files to profiles as plain functions in order, without Dagster."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from graphlib import TopologicalSorter

from ml.attribution.step import credits_step, update_credits
from ml.predict import score, train
from profiles_assets.events.load import load_events
from profiles_assets.events.model_source import inputs_of
from profiles_assets.functions.inputs import update_inputs
from profiles_assets.functions.run import update_function
from profiles_assets.functions.typed import update_typed
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.owners import update_owners
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.profiles.audiences import update_audience
from profiles_assets.profiles.table import update_profiles
from profiles_assets.profiles.views import update_view
from profiles_assets.project.model_scopes import read_columns
from profiles_assets.project.project import Project
from profiles_assets.traits.evaluate import update_section
from profiles_assets.traits.evaluate_metrics import update_metric
from profiles_assets.traits.funnel_report import update_funnel
from profiles_assets.traits.models import built_models, model_steps, update_model
from resources.lake import Lake

Step = tuple[str, Callable[[], object]]


OnStep = Callable[[str], None]


def _silent(_name: str) -> None:
    pass


def build(lake: Lake, project: Project, days: Sequence[date] | None = None, on_step: OnStep = _silent) -> None:
    """Load landing files, all or those of some load days, and bring everything made from them up to date."""
    for name in sources_of_files(project):
        on_step(f"raw_events/{name}")
        load_events(lake, project, name, days)
    refresh(lake, project, on_step)


def refresh(lake: Lake, project: Project, on_step: OnStep = _silent) -> None:
    """Bring everything made from the events up to date and publish it; new landing files are left alone."""
    for name, update in steps(lake, project):
        on_step(name)
        update()


def sources_of_files(project: Project) -> list[str]:
    """Sources whose records come from outside the lake."""
    return [name for name, source in project.sources.items() if not source.model]


def steps(lake: Lake, project: Project) -> Iterator[Step]:
    """Keys of the assets that follow from events, each with what updates it, in the order in which they depend."""
    for name in _sources_of_models(project):
        yield f"raw_events/{name}", partial(load_events, lake, project, name)
    yield "id_edges", partial(update_evidence, lake, project)
    for entity in project.entities:
        yield "stitched_ids", partial(update_stitched, lake, project, entity)
        yield "stitched_ids", partial(update_owners, lake, project, entity)
    for name in project.sections:
        yield f"entity_vars/{name}", partial(update_section, lake, project, name)
    for name in project.funnels:
        yield f"funnels/{name}", partial(update_funnel, lake, project, name)
    yield "function_inputs", partial(update_inputs, lake, project, always=False)
    for name in project.functions:
        yield f"functions/{name}", partial(update_function, lake, project, name)
        yield f"functions/{name}", partial(update_typed, lake, project, name)
    for name in _models(project):
        yield f"models/{name}", partial(update_model, lake, project, name)
    for name in project.metrics:
        yield f"metrics/{name}", partial(update_metric, lake, project, name)
    for name, forecast in project.predictions.items():
        yield f"predictions/{name}_model", partial(train, lake, project, forecast)
        yield f"predictions/{name}", partial(score, lake, project, forecast)
    for name in project.attribution:
        yield credits_step(name), partial(update_credits, lake, project, name)
    for entity in project.entities:
        yield f"profiles/{entity}", partial(update_profiles, lake, project, entity)
    for name in project.audiences:
        yield f"audiences/{name}", partial(update_audience, lake, project, name)
    for name in project.views:
        yield f"views/{name}", partial(update_view, lake, project, name)


def _sources_of_models(project: Project) -> list[str]:
    made = {name: inputs_of(project, name) for name, source in project.sources.items() if source.model}
    return [name for name in TopologicalSorter(made).static_order() if name in made]


def _models(project: Project) -> list[str]:
    names = built_models(project)
    needed = {
        name: {
            step.removeprefix("models/") for step in model_steps(project, read_columns(project, project.models[name]))
        }
        for name in names
    }
    return [name for name in TopologicalSorter(needed).static_order() if name in needed]
