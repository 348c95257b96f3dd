"""Checks of project.yml and the sources: ids, guards, time zone, file formats."""

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo, available_timezones

from profiles_assets.project.check_functions import transform_problems
from profiles_assets.project.draft import Draft
from profiles_assets.project.presets import PRESETS
from profiles_assets.project.problems import Problem, any_of, did_you_mean
from profiles_assets.project.sources import Source
from profiles_assets.project.yaml_lines import Part

PATHS = ("time", "received", "event_id", "event", "identify_traits")


def project_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong in project.yml beyond the form of its values."""
    project, document = draft.project, draft.project_file
    if not _is_timezone(project.timezone):
        hint = did_you_mean(project.timezone, sorted(available_timezones())) or "write one such as Europe/Berlin"
        yield document.problem(f'"{project.timezone}" is not a time zone', "timezone", hint=hint)
    if project.end is not None and project.end < project.start:
        yield document.problem(f"the end {project.end} is before the start {project.start}", "end")
    for name in project.entities:
        yield from _guard_problems(draft, name)


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _guard_problems(draft: Draft, entity: str) -> Iterator[Problem]:
    known, place = draft.ids[entity], draft.entity(entity)
    for id_type, spec in draft.project.entities[entity].ids.items():
        for other in spec.max_linked:
            at = ("ids", id_type, "max_linked", other)
            if other == id_type:
                message = f'max_linked of "{id_type}" counts values of another id type, not its own'
                yield place.problem(message, *at, hint="did you mean max_per_profile?")
            elif other not in known:
                message = f'max_linked of "{id_type}" names "{other}", which is no id type of {entity}'
                yield place.problem(message, *at, hint=_or_all(other, known))


def source_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with the sources beyond the form of their values."""
    known = list(dict.fromkeys(id_type for ids in draft.ids.values() for id_type in ids))
    for name, source in draft.project.sources.items():
        yield from _file_problems(draft, name, source)
        yield from _path_problems(draft, name, source)
        yield from _key_problems(draft, name, source)
        place = draft.place("sources", name)
        yield from transform_problems(draft.project.root, source.transform, place, (1, "event)"))
        if known:
            yield from _id_problems(draft, name, source, known)


def _id_problems(draft: Draft, name: str, source: Source, known: list[str]) -> Iterator[Problem]:
    unknown = [id_type for id_type in source.ids if id_type not in known]
    place = draft.place("sources", name)
    if not source.ids and not source.preset:
        return
    if not source.ids:
        message = f'the preset of source "{name}" fills in {any_of(list(PRESETS[str(source.preset)]["ids"]))} only'
        yield place.problem(message, "preset", hint=f"add ids to the source, with the path of {any_of(known)}")
    elif len(unknown) == len(source.ids):
        message = f'source "{name}" has no id of any entity; it has {any_of(unknown)}'
        yield place.problem(message, "ids", hint=_or_all(unknown[0], known))
    else:
        for id_type in unknown:
            message = f'"{id_type}" is no id type of any entity, in source "{name}"'
            yield place.problem(message, "ids", id_type, hint=_or_all(id_type, known), of_key=True)


def _path_problems(draft: Draft, name: str, source: Source) -> Iterator[Problem]:
    place = draft.place("sources", name)
    paths: dict[tuple[Part, ...], str | None] = {(key,): getattr(source, key) for key in PATHS}
    paths |= {("ids", id_type): path for id_type, path in source.ids.items()}
    paths |= {("key", at): path for at, path in enumerate(source.key)}
    for at, path in paths.items():
        if path and not all(part.strip() for part in path.split("|")):
            message = f'"{path}" lacks a path on one side of |, in source "{name}"'
            yield place.problem(message, *at, hint="write one path, or several as in userId|user_id")
    if source.properties and "|" in source.properties:
        message = f'properties of source "{name}" can only be at one path, not at "{source.properties}"'
        yield place.problem(message, "properties")


def _key_problems(draft: Draft, name: str, source: Source) -> Iterator[Problem]:
    place = draft.place("sources", name)
    for path in dict.fromkeys(path for path in source.key if source.key.count(path) > 1):
        yield place.problem(f'the key of source "{name}" has "{path}" twice', "key")
    if source.key and source.event_id in source.key:
        message = f'event_id of source "{name}" is in its key, so a newer version would be dropped as a repeat'
        yield place.problem(message, "event_id", hint="leave event_id out; the key tells records apart")


def _file_problems(draft: Draft, name: str, source: Source) -> Iterator[Problem]:
    place = draft.place("sources", name)
    if re.search(r"://[^/@]*:[^/@$]+@|password\s*=\s*[^$\s]", source.database or ""):
        message = f'the database of source "{name}" has a password, which does not belong into a file'
        yield place.problem(message, "database", hint="write ${NAME} and set the environment variable NAME")
    try:
        _ = source.file_format
    except ValueError as error:
        yield place.problem(f'source "{name}": {error}', "files")
    for placeholder in re.findall(r"\{[^}]*\}", source.files):
        if placeholder != "{day}":
            message = f'"{placeholder}" means nothing in the files of source "{name}"'
            yield place.problem(message, "files", hint="did you mean {day}?")


def _or_all(name: str, known: list[str]) -> str:
    return did_you_mean(name, known) or f"there are {any_of(known)}"
