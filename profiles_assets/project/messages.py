"""Validation errors in plain words: what was written, what would be right, and an example."""

import re
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from profiles_assets.project.base import Spec
from profiles_assets.project.problems import Problem, any_of, closest, did_you_mean
from profiles_assets.project.spec_paths import Spot, shown, spot_of
from profiles_assets.project.traits import VERBS, Trait
from profiles_assets.project.wording import GIVEN, LENGTHS, LIMITS, SYNONYMS, TYPE_SYNONYMS, WANTED
from profiles_assets.project.yaml_lines import Document, Part

KEY = "[key]"


def explain(model: type[Spec], error: ValidationError, document: Document) -> list[Problem]:
    """The problems that a validation error tells; alternatives of one value make one problem."""
    groups: dict[tuple[Part, ...], list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        groups.setdefault(_written(document.data, detail), []).append(detail)
    return [_problem(spot_of(model, path), details, document) for path, details in groups.items()]


def _written(data: Any, detail: ErrorDetails) -> tuple[Part, ...]:
    """Path of the value in the file: without the names of alternatives that pydantic adds."""
    path: list[Part] = []
    for part in detail["loc"]:
        inside = part in data if isinstance(data, dict) else isinstance(data, list) and isinstance(part, int)
        if not inside:
            return (*path, part) if detail["type"] == "missing" else tuple(path)
        path.append(part)
        data = data[part]
    return tuple(path)


def _problem(spot: Spot, details: list[ErrorDetails], document: Document) -> Problem:
    first = details[0]
    kind = first["type"]
    if kind == "extra_forbidden":
        message, hint = _unknown_key(spot, document)
        return document.problem(message, *spot.path, hint=hint, of_key=True)
    if kind == "missing":
        return document.problem(f'{spot.owner_words} needs the key "{spot.key}"{spot.example}', *spot.path[:-1])
    if kind == "string_pattern_mismatch" or _is_key(first):
        return document.problem(_bad_name(spot, first), *spot.path, of_key=_is_key(first))
    if kind == "value_error":
        return document.problem(f"{spot.subject}: {_own_words(first)}", *spot.path)
    return document.problem(_wrong_value(spot, details), *spot.path, hint=_literal_hint(details))


def _is_key(detail: ErrorDetails) -> bool:
    return detail["loc"][-1:] == (KEY,)


def _unknown_key(spot: Spot, document: Document) -> tuple[str, str]:
    keys = spot.keys
    meant = SYNONYMS.get(spot.key.lower()) if spot.owner is Trait else None
    meant = meant or closest(spot.key, keys)
    hint = f'did you mean "{meant}"?' if meant else ""
    if spot.owner is Trait and not _has_verb(document.data, spot.path[:-1]) and (meant in VERBS or not meant):
        return (
            f'"{spot.key}" is not a verb, in {spot.owner_words}',
            hint or f"the verbs are {any_of(VERBS, 99)}",
        )
    return f'unknown key "{spot.key}" in {spot.owner_words}', hint or f"it takes {any_of(keys, 99)}"


def _has_verb(data: Any, path: Iterable[Part]) -> bool:
    for part in path:
        data = data[part]
    return any(verb in data for verb in VERBS)


def _bad_name(spot: Spot, detail: ErrorDetails) -> str:
    name = str(detail["input"])
    proposal = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60]
    proposal = proposal if proposal[:1].isalpha() else f"n_{proposal}"
    where = "" if _is_key(detail) else f"{spot.subject}: "
    return (
        f'{where}"{name[:80]}" cannot be a name; use up to 60 small letters, digits and _, '
        f'starting with a letter, such as "{proposal}"'
    )


def _own_words(detail: ErrorDetails) -> str:
    return str(detail.get("ctx", {}).get("error", detail["msg"]))


def _wrong_value(spot: Spot, details: list[ErrorDetails]) -> str:
    value = details[0]["input"]
    wanted = list(dict.fromkeys(option for detail in details for option in _wanted(detail)))
    if "a number" in wanted and "a whole number" in wanted:
        wanted.remove("a whole number")
    given = "is empty" if value is None else f"is {shown(value)}{_kind(value, wanted)}"
    return f"{spot.subject} {given}; it should be {any_of(wanted)}{spot.example}"


def _kind(value: Any, wanted: list[str]) -> str:
    kind = GIVEN.get(type(value), "")
    return f", {kind}" if kind and kind not in wanted else ""


def _wanted(detail: ErrorDetails) -> list[str]:
    kind, limits = detail["type"], detail.get("ctx", {})
    if kind == "literal_error":
        return _options(detail)
    if kind.startswith("bool"):
        return ["true", "false"]
    bound = next((f"{words} {limits[key]:g}" for key, words in LIMITS.items() if key in limits), None)
    return [bound or _length(kind, limits) or WANTED.get(kind.split("_")[0]) or f"otherwise ({detail['msg']})"]


def _length(kind: str, limits: dict[str, Any]) -> str:
    unit = "character" if kind.startswith("string") else "value"
    for key, words in LENGTHS.items():
        if key in limits:
            return f"{words} {limits[key]} {unit}{'' if limits[key] == 1 else 's'}"
    return ""


def _options(detail: ErrorDetails) -> list[str]:
    return re.findall(r"'([^']*)'", str(detail["ctx"]["expected"]))


def _literal_hint(details: list[ErrorDetails]) -> str:
    options = [option for detail in details if detail["type"] == "literal_error" for option in _options(detail)]
    value = details[0]["input"]
    if not isinstance(value, str) or not options:
        return ""
    meant = TYPE_SYNONYMS.get(value.lower(), "")
    return f'did you mean "{meant}"?' if meant in options else did_you_mean(value, options)
