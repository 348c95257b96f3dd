"""`normalise:` of an id type: the steps that write one id alike however it came, and what is wrong with them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from profiles_assets.project.problems import any_of, did_you_mean

KEEP_OR_DROP = ("keep", "drop")
OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "none": {},
    "trim": {},
    "lower": {},
    "email": {"plus_tags": KEEP_OR_DROP, "gmail_dots": KEEP_OR_DROP},
    "phone": {"region": ()},
    "url": {"scheme": KEEP_OR_DROP, "www": KEEP_OR_DROP},
    "host": {},
    "hash": {},
}
MEANT = {
    "sha256": "hash", "sha": "hash", "domain": "host", "hostname": "host", "link": "url", "strip": "trim",
    "lowercase": "lower", "mail": "email", "e164": "phone", "tel": "phone", "telephone": "phone",
}  # fmt: skip
FUNCTION = re.compile(r"([\w.\-/]+\.py):([A-Za-z_]\w*)")
NAMES = (*OPTIONS, "a function such as functions/ids.py:clean")

ONE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": list(OPTIONS)},
        {"type": "string", "pattern": r"^[\w.\-/]+\.py:[A-Za-z_]\w*$"},
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {
                name: {
                    "type": ["object", "null"],
                    "additionalProperties": False,
                    "properties": {key: {"enum": list(v)} if v else {"type": "string"} for key, v in options.items()},
                }
                for name, options in OPTIONS.items()
            },
        },
    ]
}
SCHEMA: dict[str, Any] = {"anyOf": [ONE_SCHEMA, {"type": "array", "minItems": 1, "items": ONE_SCHEMA}]}


@dataclass(frozen=True)
class Step:
    """One normaliser with its options; a function of the project goes by its path, file.py:function.

    Its option `code` is the hash of its file, as it was when the project was loaded.
    """

    name: str
    options: tuple[tuple[str, str], ...] = ()

    @property
    def function(self) -> tuple[str, str] | None:
        """File and name of the function; None for what is built in."""
        match = FUNCTION.fullmatch(self.name)
        return (match[1], match[2]) if match else None

    @property
    def in_python(self) -> bool:
        """True for what SQL cannot do."""
        return self.name == "phone" or self.function is not None

    def option(self, name: str) -> str:
        """Value of an option; empty where it is not given."""
        return dict(self.options).get(name, "")

    def drops(self, name: str) -> bool:
        """True when a part of the value is to be dropped."""
        return self.option(name) == "drop"


@dataclass(frozen=True)
class Fault:
    """What is wrong at a path below `normalise`: a predicate such as `is "emial"; it should be …`, and a hint."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    of_key: bool = False


def steps_of(raw: Any, code: Mapping[str, str]) -> tuple[Step, ...]:
    """The steps of a declared `normalise`, in turn; `code` has hashes by file. Raises ValueError for what is none."""
    for fault in normaliser_faults(raw):
        raise ValueError(f"normalise {fault.message}")
    return tuple(_step(one, code) for one in (raw if isinstance(raw, list) else [raw]))


def _step(raw: Any, code: Mapping[str, str]) -> Step:
    name, options = next(iter(raw.items())) if isinstance(raw, dict) else (raw, None)
    step = Step(name, tuple(sorted((options or {}).items())))
    return Step(name, (("code", code.get(step.function[0], "")),)) if step.function else step


def functions_in(raw: Any) -> Iterator[tuple[tuple[int, ...], str, str]]:
    """Place, file and name of every function in a declared `normalise`, be the rest of it right or wrong."""
    for index, one in enumerate(raw if isinstance(raw, list) else [raw]):
        if isinstance(one, str) and (match := FUNCTION.fullmatch(one)):
            yield (index,) if isinstance(raw, list) else (), match[1], match[2]


def normaliser_faults(raw: Any) -> Iterator[Fault]:
    """Everything wrong with a declared `normalise`, as far as it alone tells."""
    if not isinstance(raw, list):
        yield from _faults_of_one(raw, ())
        return
    if not raw:
        yield Fault((), f"is an empty list; it should be {any_of(NAMES)}")
    for index, one in enumerate(raw):
        yield from _faults_of_one(one, (index,))
        if index + 1 < len(raw) and (one == "hash" or (isinstance(one, dict) and "hash" in one)):
            yield Fault((index,), "goes on after hash, which leaves nothing to normalise", "put hash at the end")


def _faults_of_one(raw: Any, path: tuple[str | int, ...]) -> Iterator[Fault]:
    if isinstance(raw, dict) and len(raw) == 1:
        name, options = next(iter(raw.items()))
        yield from _name_faults(name, path, of_key=True)
        if name in OPTIONS:
            yield from _option_faults(name, options, (*path, name))
    elif isinstance(raw, dict):
        hint = "write several as a list, such as [trim, email]"
        yield Fault(path, f"has {len(raw)} normalisers in one mapping instead of one", hint)
    else:
        yield from _name_faults(raw, path)


def _name_faults(name: Any, path: tuple[str | int, ...], of_key: bool = False) -> Iterator[Fault]:
    known = isinstance(name, str) and (name in OPTIONS or (not of_key and FUNCTION.fullmatch(name)))
    if not known:
        given = "is empty" if name is None else f'is "{str(name)[:60]}"'
        meant = MEANT.get(str(name).lower())
        hint = f'did you mean "{meant}"?' if meant else did_you_mean(str(name or ""), OPTIONS)
        yield Fault(path, f"{given}; it should be {any_of(NAMES)}", hint, of_key)


def _option_faults(name: str, options: Any, path: tuple[str | int, ...]) -> Iterator[Fault]:
    if options is None:
        return
    takes = OPTIONS[name]
    if not isinstance(options, dict):
        yield Fault(path, f"has no options in {name}; {_takes(name)}")
        return
    for key, value in options.items():
        if key not in takes:
            hint = did_you_mean(str(key), takes)
            yield Fault((*path, key), f'has the unknown option "{key}" of {name}; {_takes(name)}', hint, of_key=True)
        elif takes[key] and value not in takes[key]:
            hint = did_you_mean(str(value), takes[key])
            yield Fault((*path, key), f'has "{value}" as {key} of {name}; it should be {any_of(takes[key])}', hint)
        elif not takes[key] and (fault := _region_fault(value)):
            yield Fault((*path, key), fault[0], fault[1])


def _takes(name: str) -> str:
    options = list(OPTIONS[name])
    return f"{name} takes {any_of(options)}" if options else f"{name} takes no options"


def _region_fault(value: Any) -> tuple[str, str] | None:
    import phonenumbers

    if isinstance(value, str) and value in phonenumbers.SUPPORTED_REGIONS:
        return None
    meant = str(value).upper()
    hint = f'did you mean "{meant}"?' if meant in phonenumbers.SUPPORTED_REGIONS else "write one such as DE, AT or US"
    return f'has "{value}" as region of phone, which is no country of two capital letters', hint
