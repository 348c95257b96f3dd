"""Reuse in files of traits: `defaults:` of a file, and `variants:` of a trait, which make several of one."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from profiles_assets.project.base import parse_days
from profiles_assets.project.problems import Problem, any_of, did_you_mean
from profiles_assets.project.traits import TRAIT_VERBS
from profiles_assets.project.yaml_lines import Document

ENDING = re.compile(r"[a-z0-9][a-z0-9_]*")
UNITS = {"day": "d", "days": "d", "d": "d", "week": "w", "weeks": "w", "w": "w"}
DEFAULTABLE = ("within", "where", "unless_none", "unit", "owner", "pii", "description")
OVER_EVENTS = ("within", "where", "unless_none", "unit")
Variant = tuple[str, dict[str, Any]]


def expanded(document: Document, kind: str = "traits") -> Document:
    """A file with its defaults filled in and one trait per variant; what makes no sense becomes a problem."""
    declared = document.data.get(kind)
    if not isinstance(declared, dict):
        return document
    defaults, problems = _defaults(document)
    made: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, raw in declared.items():
        try:
            found = expand(name, raw)
        except ValueError as error:
            problems.append(document.problem(f'trait "{name}": {error}', kind, name, "variants"))
            found = [(name, _without_variants(raw))]
        for variant, spec in found:
            if variant in made:
                message = f'the variants of "{name}" make the trait "{variant}", which is here already'
                problems.append(document.problem(message, kind, name, of_key=True))
            made[variant] = _filled(spec, defaults)
            origins[variant] = name
    data = {key: value for key, value in document.data.items() if key != "defaults"} | {kind: made}
    return replace(document, data=data, problems=(*document.problems, *problems), origins=origins)


def _defaults(document: Document) -> tuple[dict[str, Any], list[Problem]]:
    told = document.data.get("defaults", {})
    if not isinstance(told, dict):
        return {}, [document.problem("defaults is a mapping, such as defaults: {within: 90 days}", "defaults")]
    wrong = [key for key in told if key not in DEFAULTABLE]
    hints = {key: did_you_mean(key, DEFAULTABLE) or f"defaults are {any_of(DEFAULTABLE)}" for key in wrong}
    problems = [
        document.problem(f'"{key}" cannot be a default', "defaults", key, hint=hints[key], of_key=True) for key in wrong
    ]
    return {key: value for key, value in told.items() if key not in wrong}, problems


def _filled(raw: Any, defaults: dict[str, Any]) -> Any:
    if not isinstance(raw, dict):
        return raw
    over_traits = any(verb in raw for verb in TRAIT_VERBS)
    left_out = OVER_EVENTS if over_traits else ("within", "where") if "function" in raw else ()
    return {k: v for k, v in defaults.items() if k not in left_out} | raw


def _without_variants(raw: Any) -> Any:
    return {key: value for key, value in raw.items() if key != "variants"} if isinstance(raw, dict) else raw


def expand(name: str, raw: Any) -> list[Variant]:
    """Raw traits by name that a raw trait stands for. Raises ValueError for variants that make no sense."""
    variants = raw.get("variants") if isinstance(raw, dict) else None
    if variants is None:
        return [(name, raw)]
    if not isinstance(variants, dict) or not variants:
        raise ValueError("variants is a mapping, such as variants: {within: [7 days, 30 days]}")
    base = _without_variants(raw)
    choices = [list(_choices(key, value)) for key, value in variants.items()]
    return [_variant(name, base, picked) for picked in product(*choices)]


def _variant(name: str, base: dict[str, Any], picked: tuple[tuple[str, str, Any], ...]) -> Variant:
    endings = [ending for ending, _, _ in picked]
    made = base | {key: value for _, key, value in picked}
    if base.get("title"):
        made["title"] = f"{base['title']}, {', '.join(_words(key, value, ending) for ending, key, value in picked)}"
    return "_".join([name, *endings]), made


def _words(key: str, value: Any, ending: str) -> str:
    return f"last {value}" if key == "within" else ending.replace("_", " ")


def _choices(key: str, value: Any) -> Iterator[tuple[str, str, Any]]:
    if key == "variants":
        raise ValueError("variants cannot have variants")
    if isinstance(value, dict) and value:
        for ending, one in value.items():
            if not ENDING.fullmatch(str(ending)):
                raise ValueError(f'"{ending}" cannot end a name; use small letters, digits and _')
            yield str(ending), key, one
    elif isinstance(value, list) and value and key == "within":
        yield from ((_duration(one), key, one) for one in value)
    else:
        example = "within: [7 days, 30 days]" if key == "within" else f"{key}: {{name_ending: value}}"
        raise ValueError(f"variants of {key} are written {example}")


def _duration(value: Any) -> str:
    parse_days(value)
    number, unit = re.match(r"\s*([0-9]+)\s*([a-z]+)", value).groups()  # type: ignore[union-attr]
    return f"{int(number)}{UNITS[unit]}"
