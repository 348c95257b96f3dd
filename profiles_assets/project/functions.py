"""functions/*.py with `def profile` or `def profile_batch`: Python over all events of one person.

The file is read, not run: `config` is a literal dict at its top level.
"""

import ast
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator

from profiles_assets.project.base import Days, Name, Spec
from profiles_assets.project.base import Path as FieldPath
from profiles_assets.project.cron import cron_fault
from profiles_assets.project.id_functions import Function
from profiles_assets.project.normalisers import FUNCTION

ROW, BATCH = "profile", "profile_batch"
DECORATOR = "profile_function"
IMPURE = ("store", "stores", "fetch", "warehouse")
LOOKS_LIKE_ONE = re.compile(rf"^(async\s+)?def\s+({ROW}|{BATCH})\s*\(", re.MULTILINE)
PARAMETERS = {ROW: ("events", "user", "context"), BATCH: ("table", "context")}


class FunctionConfig(Spec):
    """The `config` of a profile function."""

    noun: ClassVar[str] = "function"

    name: Name | None = Field(default=None, description="Name; by default the file's.", examples=["engagement"])
    entity: Name | None = Field(default=None, description="Whose events; by default the first entity.")
    window: Days = Field(default=365, description="Only events of the last days, 7 to 365, as_of included.")
    sources: list[Name] = Field(default_factory=list, description="Sources to read; by default all of events.")
    columns: list[FieldPath] = Field(
        default_factory=list, description="Paths in a record that a batch function gets as columns of text."
    )
    transform: list[str] = Field(
        default_factory=list,
        description="Functions that each event goes through first.",
        examples=[["functions/clean.py:drop_bots"]],
    )
    table: Name | None = Field(default=None, description="Table of its rows; by default its name.")
    destination: str = Field(default="", description="Where its rows are to go, for whatever delivers them.")
    env: dict[str, str] = Field(
        default_factory=dict, description="Variables; $NAME is a secret, taken from the environment when it runs."
    )
    anonymous: bool = Field(default=False, description="Also build people without a known id.")
    known_by: list[Name] = Field(
        default_factory=list, description="Id types that make a person known; by default user_id, else the first."
    )
    schedule: str = Field(
        default="",
        description="When it runs, as cron fields in the project's time zone; by default after new events.",
        examples=["30 2 * * *"],
    )
    fetch: bool = Field(default=False, description="Allow context.fetch.")
    seconds: float = Field(default=10, gt=0, le=3600, description="Longest time for one person.")
    memory_mb: int = Field(default=512, ge=32, description="Most memory beyond that of an idle worker.")
    max_events: int = Field(default=1_000_000, ge=1, description="People with more events are errors.")
    max_errors: float = Field(default=0.01, ge=0, le=1, description="Share of errors above which a check warns.")
    title: str = Field(default="", description="Name for people.")
    description: str = Field(default="", description="What it computes.")
    owner: str = Field(default="", description="Who answers for it.")

    @field_validator("window")
    @classmethod
    def _whole_window(cls, value: int) -> int:
        if not 7 <= value <= 365:
            raise ValueError(f"{value} days is not between 7 and 365 days")
        return value

    @field_validator("schedule")
    @classmethod
    def _times(cls, value: str) -> str:
        if value and (fault := cron_fault(value)):
            raise ValueError(fault)
        return value


@dataclass(frozen=True)
class ProfileFunction:
    """A profile function as its file says; `files` has the texts of the files that its transformations are in."""

    name: str
    file: str
    code: str
    config: FunctionConfig
    entity: str
    files: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def batch(self) -> bool:
        """True when it takes a table of many people."""
        return BATCH in entry_points(ast.parse(self.code))

    @cached_property
    def pure(self) -> bool:
        """True when its code never names context.store, context.fetch or context.warehouse."""
        nodes = [node for text in (self.code, *self.files.values()) for node in ast.walk(ast.parse(text))]
        named = {node.attr if isinstance(node, ast.Attribute) else getattr(node, "value", None) for node in nodes}
        return not any(word in IMPURE for word in named if isinstance(word, str))

    @property
    def table(self) -> str:
        """Table that its rows go to where a result names no other."""
        return self.config.table or self.name

    @property
    def transforms(self) -> list[tuple[str, str]]:
        """File and name of each transformation."""
        return [(found[1], found[2]) for one in self.config.transform if (found := FUNCTION.fullmatch(one))]

    @cached_property
    def hash(self) -> str:
        """Hash of the code and of all that runs with it."""
        texts = [self.code, *(f"{name}\0{text}" for name, text in sorted(self.files.items()))]
        return hashlib.md5("\0".join(texts).encode(), usedforsecurity=False).hexdigest()


def entry_points(tree: ast.Module) -> dict[str, Function]:
    """The functions `profile` and `profile_batch` of a file."""
    return {node.name: node for node in tree.body if isinstance(node, Function) and node.name in PARAMETERS}


def config_node(tree: ast.Module) -> ast.expr | None:
    """What is assigned to `config` at the top level of a file, else what the decorator of the function says."""
    return assigned_config(tree) or decorated_config(tree)


def decorated_config(tree: ast.Module) -> ast.Dict | None:
    """The keywords of the decorator `profile_function` as a dict."""
    calls = [call for node in entry_points(tree).values() for call in node.decorator_list if isinstance(call, ast.Call)]
    for call in calls:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name == DECORATOR:
            keys = [ast.copy_location(ast.Constant(one.arg), one) for one in call.keywords]
            return ast.copy_location(ast.Dict(keys=[*keys], values=[one.value for one in call.keywords]), call)
    return None


def assigned_config(tree: ast.Module) -> ast.expr | None:
    """What is assigned to `config` at the top level of a file."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "config" for t in node.targets):
            return node.value
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "config":
            return node.value
    return None


def function_from(
    file: str, code: str, config: FunctionConfig, entity: str, texts: Mapping[str, str]
) -> ProfileFunction:
    """The function of a file; `texts` has at least the files of its transformations, `entity` is the default."""
    found = ProfileFunction(config.name or Path(file).stem, file, code, config, config.entity or entity)
    files = {name: texts[name] for name, _ in found.transforms if name in texts}
    return ProfileFunction(found.name, file, code, config, found.entity, files)


def function_of_code(file: str, code: str, entity: str, texts: Mapping[str, str]) -> ProfileFunction:
    """A function from the text of its file, which was checked before. Raises ValueError for one that was not."""
    node = config_node(ast.parse(code))
    given: Any = ast.literal_eval(node) if node is not None else {}
    return function_from(file, code, FunctionConfig.model_validate(given), entity, texts)
