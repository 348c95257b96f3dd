"""JSON Schemas of the project's files, so that editors complete keys and mark mistakes while typing."""

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from profiles_assets.project.base import Spec
from profiles_assets.project.entities import ProjectFile
from profiles_assets.project.loader import ABOUT_ENTITIES
from profiles_assets.project.sources import SourcesFile
from profiles_assets.project.traits import SectionFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILES: dict[str, type[Spec]] = {
    "project": ProjectFile,
    "sources": SourcesFile,
    "traits": SectionFile,
    **ABOUT_ENTITIES,
}


class _Untitled(GenerateJsonSchema):
    """Leaves out the titles made from the names of fields; descriptions say more."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False


def file_schema(kind: str) -> dict[str, Any]:
    """JSON Schema of one kind of file, as users write it: project, sources, traits, predictions, …"""
    schema = FILES[kind].model_json_schema(mode="validation", schema_generator=_Untitled)
    return {"$schema": DIALECT, **schema, "title": f"{kind}.yml" if kind == "project" else kind}


def write_schemas(folder: Path) -> list[Path]:
    """Write the schema of every kind of file into a folder; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_write(folder / f"{kind}.json", file_schema(kind)) for kind in FILES]


def _write(path: Path, schema: dict[str, Any]) -> Path:
    path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
