"""Reads a project folder; reports everything that is wrong with it at once."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from profiles_assets.project.base import NAME, Spec
from profiles_assets.project.checked import checked
from profiles_assets.project.draft import Draft, Place, mapping
from profiles_assets.project.entities import ProjectFile
from profiles_assets.project.predictions import PredictionsFile
from profiles_assets.project.problems import Problem, ProjectError
from profiles_assets.project.project import Forecast, Project, Section
from profiles_assets.project.references import reference_problems
from profiles_assets.project.sources import SourcesFile
from profiles_assets.project.traits import SectionFile
from profiles_assets.project.yaml_lines import Document, read_yaml

YAML = (".yml", ".yaml")
M = TypeVar("M", bound=Spec)


def load_project(root: Path) -> Project:
    """Read and check the project in a folder. Raises ProjectError with every problem found."""
    draft = read_draft(Path(root))
    problems = [*draft.problems, *reference_problems(draft)]
    if problems:
        raise ProjectError(problems)
    return draft.project


def read_draft(root: Path) -> Draft:
    """Read all files of a project, keeping what is valid and noting what is not."""
    draft = _start(root)
    for document in _documents(root, "sources", draft.problems, alone="sources.yml"):
        _add_sources(draft, document)
    if not draft.sources and not draft.problems:
        draft.problems.append(Problem("sources.yml", 1, "no source is declared", "describe your events in sources.yml"))
    for document in _documents(root, "traits", draft.problems):
        _add_section(draft, document)
    for document in _documents(root, "predictions", draft.problems):
        _add_predictions(draft, document)
    return draft


def _start(root: Path) -> Draft:
    file = next((name for name in ("project.yml", "project.yaml") if (root / name).is_file()), None)
    if file is None:
        raise ProjectError([Problem("project.yml", 1, f"there is no project.yml in {root}", "profiles init makes one")])
    document = read_yaml(root / file, file)
    draft = Draft(Project(root, "unnamed", {}, {}), document)
    told = _checked(draft, ProjectFile, document, name="unnamed")
    if told is not None:
        draft.project = Project(root, sources={}, **{name: getattr(told, name) for name in ProjectFile.model_fields})
    return draft


def _checked(draft: Draft, model: type[M], document: Document, **stand_in: object) -> M | None:
    draft.problems.extend(document.problems)
    if not document.usable:
        return None
    told, problems = checked(model, document, stand_in)
    draft.problems.extend(problems)
    return told


def _documents(root: Path, folder: str, problems: list[Problem], alone: str = "") -> list[Document]:
    files = [root / alone] if alone and (root / alone).is_file() else []
    files += sorted(path for path in (root / folder).glob("**/*") if path.suffix in YAML and path.name[0] != ".")
    found = []
    for path in files:
        name = path.relative_to(root).as_posix()
        if name.count("/") > 1:
            problems.append(Problem(name, 1, f"only files directly in {folder}/ are read", f"move it to {folder}/"))
        elif path.is_file():
            found.append(read_yaml(path, name))
    return found


def _add_sources(draft: Draft, document: Document) -> None:
    told = _checked(draft, SourcesFile, document)
    names = _new_names(draft, document, "sources", draft.sources, draft.source)
    draft.project.sources.update({n: s for n, s in (told.sources if told else {}).items() if n in names})


def _add_section(draft: Draft, document: Document) -> None:
    name = Path(document.file).stem
    told = _checked(draft, SectionFile, document)
    if not re.match(NAME, name):
        message = f'the file name "{name}" becomes the name of a section; use small letters, digits and _'
        draft.problems.append(document.problem(message))
    if name in draft.sections:
        draft.problems.append(document.problem(f'section "{name}" has a file already: {draft.sections[name].file}'))
        return
    draft.sections[name] = document
    if told:
        owner = told.owner or draft.project.owner
        entity = draft.entity_of(document)
        draft.project.sections[name] = Section(name, entity, told.traits, owner, told.description)


def _add_predictions(draft: Draft, document: Document) -> None:
    told = _checked(draft, PredictionsFile, document)
    names = _new_names(draft, document, "predictions", draft.predictions, draft.prediction)
    if told:
        for name in names & told.predictions.keys():
            spec = told.predictions[name]
            owner = spec.owner or told.owner or draft.project.owner
            draft.project.predictions[name] = Forecast(name, draft.entity_of(document), spec, owner)


def _new_names(
    draft: Draft, document: Document, kind: str, known: dict[str, Document], place: Callable[[str], Place]
) -> set[str]:
    """Names declared in this document and nowhere before; those declared before are problems."""
    names = set()
    for name in mapping(document.data, kind):
        if name in known:
            message = f'{kind.removesuffix("s")} "{name}" is declared already, in {place(name).text}'
            draft.problems.append(document.problem(message, kind, name, of_key=True))
        else:
            known[name] = document
            names.add(name)
    return names
