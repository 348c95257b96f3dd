"""Checks of metrics, and of the buckets that are cut by their percentiles."""

from collections.abc import Iterator
from itertools import pairwise

from profiles_assets.project.draft import Draft, Place
from profiles_assets.project.metrics import DISTRIBUTIONS, Metric
from profiles_assets.project.problems import Problem
from profiles_assets.project.traits import Trait
from profiles_assets.project.value_types import WORDS, property_kind


def metric_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with metrics beyond the form of their values and what holds for every trait."""
    for name in draft.declared.get("metrics", {}):
        if name == DISTRIBUTIONS:
            message = f'"{name}" is the table with the distributions of all metrics'
            yield draft.place("metrics", name).problem(message, hint="choose another name", of_key=True)
    for name, metric in draft.project.metrics.items():
        yield from _metric(draft, metric.spec, draft.place("metrics", name))
    for entity in draft.project.entities:
        metrics = draft.project.metrics_of(entity)
        for name, trait in draft.project.traits_of(entity).items():
            if trait.verb == "bucket" and trait.bucket in metrics:
                yield from _bucket(trait, draft.column(entity, name))


def _metric(draft: Draft, metric: Metric, place: Place) -> Iterator[Problem]:
    kind = property_kind(draft.project, metric.event, metric.event_property) if metric.event_property else None
    if metric.verb in ("min", "max") and kind not in (None, "number"):
        message = f'{metric.verb}: a metric is a number, but "{metric.event_property}" is {WORDS[kind or "text"]}'
        yield place.problem(message, metric.verb, hint="look at types: of the source, or make it a trait")
    if metric.type not in (None, "number", "integer", "float"):
        yield place.problem(f"type: a metric is a number, so it cannot be {metric.type}", "type", hint="leave it out")
    if metric.variants is not None:
        message = "variants: a metric is one number; variants go with the traits of a section"
        yield place.problem(message, "variants", hint="declare one metric for each")


def _bucket(trait: Trait, place: Place) -> Iterator[Problem]:
    labels = trait.labels or []
    if trait.at and trait.at[0] == "p0":
        shown = f' "{labels[0]}"' if labels else ""
        message = f"at: nobody is below the smallest value (p0), so the bucket{shown} stays empty"
        yield place.problem(message, "at", 0, hint="leave out p0 and its label")
    for index, (label, following) in enumerate(pairwise(labels)):
        if label == following:
            message = f'labels: "{label}" names two buckets side by side, so they are one'
            yield place.problem(message, "labels", index + 1, hint="give each its own name, or leave out the edge")
