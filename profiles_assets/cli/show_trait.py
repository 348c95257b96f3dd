"""`profiles show trait NAME`: what a trait means, what it is made from and what is made from it."""

from typing import Any

from profiles_assets.cli.context import CommandError, Context
from profiles_assets.project.loader import read_draft
from profiles_assets.project.personal import personal_columns
from profiles_assets.project.problems import did_you_mean
from profiles_assets.project.project import Fact, Project
from profiles_assets.project.traits import Trait
from profiles_assets.project.value_types import WORDS, trait_kind
from profiles_assets.traits.lineage import profile_lineage, trait_lineage, used_by


def show_trait(context: Context, project: Project, word: str, name: str | None) -> None:
    """Say everything about a trait or audience. Raises CommandError where there is none of this name."""
    if word != "trait" or not name:
        raise CommandError("write profiles show TYPE:VALUE for a person, or profiles show trait NAME")
    about = describe(project, name)
    about["declared_in"] = str(read_draft(context.project_dir).column(about["entity"], name).text)
    for key, value in about.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        if shown and not isinstance(value, dict):
            context.say(f"{key.replace('_', ' '):<12} {shown}")
    context.answer(about)


def describe(project: Project, name: str) -> dict[str, Any]:
    """A trait or audience as plain values. Raises CommandError where there is none of this name."""
    entity = next((e for e in project.entities if name in project.facts_of(e)), None)
    if entity is None:
        known = [n for e in project.entities for n in project.facts_of(e)]
        raise CommandError(f'there is no trait "{name}"; {did_you_mean(name, known)}'.rstrip("; "))
    fact, section = project.facts_of(entity)[name], _section(project, name)
    kind = trait_kind(project, fact)
    lineage = trait_lineage(project, section, name) if section else profile_lineage(project, entity)[name]
    return {
        "name": name,
        "title": fact.title,
        "description": fact.description,
        "entity": entity,
        "asset": _asset(fact, section, name),
        "made_with": definition(fact),
        "made_from": [str(origin) for origin in lineage],
        "used_by": used_by(project, entity, name),
        "value": WORDS[kind] if kind else "as in the data",
        "unit": fact.unit,
        "personal": _personal(project, entity, name),
        "owner": fact.owner or (project.sections[section].owner if section else project.audiences[name].owner),
    }


def definition(fact: Fact) -> str:
    """What is declared, without the words around it."""
    words = {"title", "description", "owner", "unit", "pii", "variants"}
    told = fact.model_dump(exclude_defaults=True, exclude=words, by_alias=True)
    return ", ".join(f"{key}: {value}" for key, value in told.items())


def _asset(fact: Fact, section: str, name: str) -> str:
    if isinstance(fact, Trait) and fact.function:
        return f"functions/{fact.function_key[0]}"
    return f"entity_vars/{section}" if section else f"audiences/{name}"


def _section(project: Project, name: str) -> str:
    return next((s for s, section in project.sections.items() if name in section.traits), "")


def _personal(project: Project, entity: str, name: str) -> str:
    how = personal_columns(project, entity).get(name)
    return {True: "hidden from readers", "hash": "readers see a hash", "mask": "readers see a mask"}.get(how or "", "")
