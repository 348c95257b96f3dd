"""Reads a project folder and its packages; reports everything that is wrong with them at once."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from profiles_assets.project.attribution import AttributionFile
from profiles_assets.project.audiences import AudiencesFile
from profiles_assets.project.base import NAME, Spec
from profiles_assets.project.checked import checked
from profiles_assets.project.draft import Draft, Place, mapping
from profiles_assets.project.entities import ProjectFile
from profiles_assets.project.function_files import read_functions
from profiles_assets.project.funnels import FunnelsFile
from profiles_assets.project.metrics import SECTION, MetricsFile
from profiles_assets.project.models import read_model
from profiles_assets.project.packages import Origin, package_fault, package_folder
from profiles_assets.project.predictions import Prediction, PredictionsFile
from profiles_assets.project.problems import Problem, ProjectError
from profiles_assets.project.project import Declared, Project, Section
from profiles_assets.project.references import reference_problems
from profiles_assets.project.rules import RuleError, RulesFile, read_rules_csv, ruling_of, valid_rules
from profiles_assets.project.sources import Source, SourcesFile
from profiles_assets.project.traits import SectionFile
from profiles_assets.project.variants import expanded
from profiles_assets.project.views import ViewsFile
from profiles_assets.project.yaml_lines import Document, read_yaml

YAML = (".yml", ".yaml")
ABOUT_ENTITIES: dict[str, type[Spec]] = {
    "predictions": PredictionsFile,
    "funnels": FunnelsFile,
    "metrics": MetricsFile,
    "audiences": AudiencesFile,
    "views": ViewsFile,
    "attribution": AttributionFile,
}
M = TypeVar("M", bound=Spec)


def load_project(root: Path, predictions: Document | None = None) -> Project:
    """Read and check the project in a folder, with predictions that stand elsewhere, if any.

    Raises ProjectError with every problem found.
    """
    return checked_draft(root, predictions).project


def checked_draft(root: Path, predictions: Document | None = None) -> Draft:
    """The project in a folder with the places of its parts. Raises ProjectError with every problem found."""
    draft = read_draft(Path(root), predictions)
    problems = [*draft.problems, *reference_problems(draft)]
    if problems:
        raise ProjectError(problems)
    return draft


def read_draft(root: Path, predictions: Document | None = None) -> Draft:
    """Read all files of a project, keeping what is valid and noting what is not."""
    draft = _start(root)
    if predictions is not None:
        _add_about_entity(draft, "predictions", PredictionsFile, predictions, Origin(root))
    for origin in _origins(draft):
        for document in _documents(draft, origin, "sources", alone="sources.yml"):
            _add_sources(draft, document, origin)
        for document in _documents(draft, origin, "traits"):
            _add_section(draft, expanded(document), origin)
        for kind, model in ABOUT_ENTITIES.items():
            for document in _documents(draft, origin, kind):
                _add_about_entity(draft, kind, model, document, origin)
        _add_models(draft, origin)
    if not draft.sources and not draft.problems:
        draft.problems.append(Problem("sources.yml", 1, "no source is declared", "describe your events in sources.yml"))
    _add_functions(draft)
    _add_metric_sections(draft)
    _add_rules(draft)
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


def _origins(draft: Draft) -> Iterator[Origin]:
    """The project's own folder first: what it declares is not taken from packages."""
    root = draft.project.root
    yield Origin(root)
    for index, name in enumerate(draft.project.packages):
        if fault := package_fault(root, name):
            draft.problems.append(draft.project_file.problem(fault[0], "packages", index, hint=fault[1]))
        else:
            yield Origin(package_folder(root, name) or root, f"{name}/")


def _checked(draft: Draft, model: type[M], document: Document, **stand_in: object) -> M | None:
    draft.problems.extend(document.problems)
    if not document.usable:
        return None
    told, problems = checked(model, document, stand_in)
    draft.problems.extend(problems)
    return told


def _documents(draft: Draft, origin: Origin, folder: str, alone: str = "") -> list[Document]:
    root = origin.folder
    files = [root / alone] if alone and (root / alone).is_file() else []
    files += sorted(path for path in (root / folder).glob("**/*") if path.suffix in YAML and path.name[0] != ".")
    found = []
    for path in files:
        inside = path.relative_to(root).as_posix()
        if inside.count("/") > 1:
            message = f"only files directly in {folder}/ are read"
            draft.problems.append(Problem(origin.prefix + inside, 1, message, f"move it to {folder}/"))
        elif path.is_file():
            found.append(read_yaml(path, origin.prefix + inside))
    return found


def _add_sources(draft: Draft, document: Document, origin: Origin) -> None:
    document = _new_names(draft, document, "sources", origin)
    told = _checked(draft, SourcesFile, document)
    for name in told.sources if told else ():
        if draft.sources.get(name) is document:
            raw = mapping(document.data, "sources", name)
            draft.project.sources[name] = _completed(draft, name, told.sources[name], raw)  # type: ignore[union-attr]


def _completed(draft: Draft, name: str, source: Source, raw: dict[str, Any]) -> Source:
    """A source with what only its name and the project tell: the event of records, the ids of a preset."""
    more: dict[str, Any] = {}
    if source.kind == "records" and source.event is None and source.event_is is None:
        more["event_is"] = name
    if source.preset:
        known = {id_type for ids in draft.ids.values() for id_type in ids} | mapping(raw, "ids").keys()
        more["ids"] = {id_type: path for id_type, path in source.ids.items() if id_type in known}
    return source.model_copy(update=more).with_code(draft.project.root)


def _add_section(draft: Draft, document: Document, origin: Origin) -> None:
    name = Path(document.file).stem
    known = draft.sections.setdefault(name, [])
    if not origin.prefix and known:
        draft.problems.append(document.problem(f'section "{name}" has a file already: {known[0].file}'))
        return
    if not re.match(NAME, name):
        message = f'the file name "{name}" becomes the name of a section; use small letters, digits and _'
        draft.problems.append(document.problem(message))
    if origin.prefix:
        document = _without_own_traits(draft, document)
        if not document.data["traits"]:
            return
    told = _checked(draft, SectionFile, document)
    known.append(document)
    if told:
        before = draft.project.sections.get(name)
        owner, entity = told.owner or draft.project.owner, draft.entity_of(document)
        section = Section(name, entity, told.traits, owner, told.description)
        draft.project.sections[name] = replace(before, traits=told.traits | before.traits) if before else section


def _without_own_traits(draft: Draft, document: Document) -> Document:
    """A package's file without the traits that the project declares itself, in whatever section."""
    own = {
        name
        for documents in draft.sections.values()
        for other in documents
        if draft.entity_of(other) == draft.entity_of(document)
        for name in mapping(other.data, "traits")
    }
    kept = {name: raw for name, raw in mapping(document.data, "traits").items() if name not in own}
    return replace(document, data=document.data | {"traits": kept})


def _add_about_entity(draft: Draft, kind: str, model: type[Spec], document: Document, origin: Origin) -> None:
    document = _new_names(draft, document, kind, origin)
    told: Any = _checked(draft, model, document)
    for name, spec in (getattr(told, kind) if told else {}).items():
        if draft.declared[kind].get(name) is document:
            owner = spec.owner or told.owner or draft.project.owner
            known = spec.with_code(origin.folder) if isinstance(spec, Prediction) else spec
            getattr(draft.project, kind)[name] = Declared(name, draft.entity_of(document), known, owner)


def _add_metric_sections(draft: Draft) -> None:
    """Metrics as traits of a section of their own, so that they compile, depend and show like others."""
    for entity in draft.project.entities:
        metrics = draft.project.metrics_of(entity)
        name = SECTION if entity == next(iter(draft.project.entities)) else f"{SECTION}_{entity}"
        for document in draft.sections.get(name, []):
            draft.problems.append(document.problem(f'the section "{name}" is kept for metrics; rename the file'))
        if metrics:
            traits = {n: metric.spec.model_copy(update={"owner": metric.owner}) for n, metric in metrics.items()}
            about = f"Metrics of every {entity}: numbers of the organisation, per person."
            draft.project.sections[name] = Section(name, entity, {**traits}, draft.project.owner, about)


def _add_models(draft: Draft, origin: Origin) -> None:
    for path in sorted((origin.folder / "models").glob("*.sql")):
        file = f"{origin.prefix}models/{path.name}"
        if not re.match(NAME, path.stem):
            message = f'the file name "{path.stem}" becomes the name of a model; use small letters, digits and _'
            draft.problems.append(Problem(file, 1, message))
        elif path.stem not in draft.project.models:
            try:
                draft.project.models[path.stem] = read_model(path.stem, path.read_text("utf-8-sig"), file)
            except UnicodeDecodeError:
                draft.problems.append(Problem(file, 1, "the file is not UTF-8 text; save it as UTF-8"))


def _add_functions(draft: Draft) -> None:
    found, problems = read_functions(draft.project.root, next(iter(draft.ids), ""))
    draft.problems.extend(problems)
    for function in found:
        if known := draft.project.functions.get(function.name):
            message = f'function "{function.name}" is declared already, in {known.file}'
            draft.problems.append(Problem(function.file, 1, message))
        else:
            draft.project.functions[function.name] = function


def _add_rules(draft: Draft) -> None:
    root = draft.project.root
    for file in ("rules.yml", "rules.yaml"):
        if (root / file).is_file():
            _add_declared_rules(draft, read_yaml(root / file, file))
    if (root / "rules.csv").is_file():
        rulings, problems = read_rules_csv(root / "rules.csv", "rules.csv", draft.ids)
        draft.project.rules.extend(rulings)
        draft.problems.extend(problems)


def _add_declared_rules(draft: Draft, document: Document) -> None:
    _checked(draft, RulesFile, document, rules=[])
    for index, rule in valid_rules(document.data):
        place = Place(document, ("rules", index))
        try:
            draft.project.rules.append(ruling_of(rule, draft.ids, place.text))
        except RuleError as error:
            draft.problems.append(place.problem(str(error), hint=error.hint))


def _new_names(draft: Draft, document: Document, kind: str, origin: Origin) -> Document:
    """Note the names that a document declares; names declared before are problems, or give way in a package."""
    known = draft.declared.setdefault(kind, {})
    names = mapping(document.data, kind)
    if origin.prefix:
        document = replace(
            document, data=document.data | {kind: {n: raw for n, raw in names.items() if n not in known}}
        )
        names = mapping(document.data, kind)
    for name in names:
        if name in known:
            message = (
                f'{kind.removesuffix("s")} "{name}" is declared already, in {Place(known[name], (kind, name)).text}'
            )
            draft.problems.append(document.problem(message, kind, name, of_key=True))
        else:
            known[name] = document
    return document
