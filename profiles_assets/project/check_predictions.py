"""Checks of predictions against sources and traits."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from profiles_assets.project.bands import band_problems
from profiles_assets.project.base import NAME
from profiles_assets.project.check_traits import unknown_column
from profiles_assets.project.conditions import ConditionError, comparisons, parse_conditions
from profiles_assets.project.draft import Draft, Place
from profiles_assets.project.events import Events
from profiles_assets.project.graph import reachable, score_columns, trait_inputs
from profiles_assets.project.model_files import model_fault
from profiles_assets.project.names import name_problem
from profiles_assets.project.predictions import Prediction
from profiles_assets.project.problems import Problem
from profiles_assets.project.project import Forecast
from profiles_assets.project.value_types import WORDS, Kind, clash, column_kinds, property_kind


def prediction_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with predictions beyond the form of their values."""
    yield from _name_problems(draft)
    events = Events(draft)
    for forecast in draft.project.predictions.values():
        check = _Check(draft, events, forecast, column_kinds(draft.project, forecast.entity))
        yield from check.problems(draft.place("predictions", forecast.name))


def _name_problems(draft: Draft) -> Iterator[Problem]:
    for name in draft.declared.get("predictions", {}):
        place = draft.place("predictions", name)
        if fault := name_problem(name):
            yield place.problem(fault[0], hint=fault[1], of_key=True)
        for column in score_columns(name):
            if column != name and column in draft.declared.get("predictions", {}):
                message = f'prediction "{column}" has the name of a column of prediction "{name}"'
                yield draft.place("predictions", column).problem(message, hint="rename one of them", of_key=True)
        if (model := f"{name}_model") in draft.declared.get("predictions", {}):
            message = f'prediction "{model}" has the name of the model of prediction "{name}"'
            yield draft.place("predictions", model).problem(message, hint="rename one of them", of_key=True)


@dataclass(frozen=True)
class _Check:
    """One prediction."""

    draft: Draft
    events: Events
    forecast: Forecast
    kinds: dict[str, Kind | None]

    @property
    def spec(self) -> Prediction:
        return self.forecast.spec

    def problems(self, place: Place) -> Iterator[Problem]:
        yield from self._target(place)
        yield from self._conditions(place, "among", self.spec.among)
        yield from self._features(place)
        yield from self._bands(place)
        yield from self._model(place)

    def _model(self, place: Place) -> Iterator[Problem]:
        spec = self.spec
        fault = spec.folder and model_fault(spec.folder, spec.model, spec.is_probability)
        if fault:
            yield place.problem(f"model: {fault[0]}", "model", hint=fault[1])
        if spec.of_traits and spec.model in ("btyd", "blend"):
            message = f"model: {spec.model} is about an event that comes again, and predict: is about traits"
            yield place.problem(message, "model", hint="write auto, boosted or a Python file")

    def _target(self, place: Place) -> Iterator[Problem]:
        target = self.spec.predict
        if self.spec.of_traits:
            yield from self._conditions(place, "predict", target.met)
        elif fault := self.events.fault(target.event, self.forecast.entity):
            yield place.problem(f"predict: {fault[0]}", "predict", hint=fault[1])
        elif target.goal == "sum":
            kind = property_kind(self.draft.project, target.event, target.property)
            if kind not in (None, "number"):
                message = f'sum needs a number, but "{target.property}" is {WORDS[kind or "text"]}'
                yield place.problem(f"predict: {message}", "predict", hint="look at types: of the source")

    def _conditions(self, place: Place, key: str, given: Mapping[str, Any]) -> Iterator[Problem]:
        try:
            parsed = parse_conditions(given)
        except ConditionError as error:
            yield place.problem(f"{key}: {error}", key, *error.path)
            return
        for comparison in comparisons(parsed):
            fault = self._unusable(comparison.field) or (
                clash(comparison, self.kinds.get(comparison.field)),
                "",
            )
            if fault[0]:
                yield place.problem(f"{key}: {fault[0]}", key, comparison.field, hint=fault[1])

    def _features(self, place: Place) -> Iterator[Problem]:
        for key, names in (
            ("include", self.spec.features.include or []),
            ("exclude", self.spec.features.exclude),
        ):
            for index, name in enumerate(names):
                unusable = self._unusable(name) if key == "include" else self._unknown(name)
                if unusable:
                    yield place.problem(f"features: {unusable[0]}", "features", key, index, hint=unusable[1])

    def _unknown(self, name: str) -> tuple[str, str] | None:
        return unknown_column(self.draft, self.forecast.entity, name, self.kinds)

    def _unusable(self, name: str) -> tuple[str, str] | None:
        entity = self.forecast.entity
        late = self.draft.late_columns(entity)
        made_from = {name, *reachable(trait_inputs(self.draft.project, entity), name)} & late.keys()
        if made_from:
            hint = "predictions are made from traits over events, and come before everything else"
            what = "an attribution" if late[min(made_from)].startswith("attribution") else "a prediction"
            return f'"{name}" is itself made from {what}', hint
        return self._unknown(name)

    def _bands(self, place: Place) -> Iterator[Problem]:
        for name in self.spec.bands:
            if not re.match(NAME, name):
                message = f'"{name}" cannot be the name of a band; use small letters, digits and _'
                yield place.problem(message, "bands", name, of_key=True)
        for name, fault in band_problems(self.spec.bands):
            yield place.problem(f'band "{name}": {fault}', "bands", name)
