"""YAML read with the line of every key and value; only true and false are booleans, dates stay text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from profiles_assets.project.problems import Problem
from profiles_assets.project.yaml_words import in_plain_words

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

TAG = "tag:yaml.org,2002:"
MOST_NODES = 1_000_000
DEEPEST = 40
RESOLVED = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"-?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+", list("-0123456789")),
    "float": (
        r"-?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|-?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-.0123456789"),
    ),
}

Part = str | int


class _CoreLoader(_Loader):
    """The YAML 1.2 core schema, except that `007` and `+49` stay text: they are codes, not numbers."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


for _name, (_pattern, _first) in RESOLVED.items():
    _CoreLoader.add_implicit_resolver(f"{TAG}{_name}", re.compile(rf"^(?:{_pattern})$"), _first)


@dataclass(frozen=True)
class Document:
    """A parsed file: its values, the lines they stand on, and what is wrong with its YAML.

    `origins` has the names that stand in the file for names that were made from them.
    """

    file: str
    data: dict[str, Any] = field(default_factory=dict)
    root: yaml.Node | None = None
    problems: tuple[Problem, ...] = ()
    origins: dict[str, str] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """True when the file could be read as a mapping."""
        return self.root is not None

    def line(self, *path: Part, of_key: bool = False) -> int:
        """Line of the value at a path, or of the deepest part that exists; of its key if asked.

        A nested value stands on the line of its key.
        """
        node, line = self.root, 1
        for depth, given in enumerate(path):
            part = self.origins.get(str(given), given) if depth == 1 else given
            found = _child(node, part)
            if found is None:
                return line
            key, node = found
            nested = not isinstance(node, yaml.ScalarNode)
            line = (key if of_key or nested else node).start_mark.line + 1
        return line

    def problem(self, message: str, *path: Part, hint: str = "", of_key: bool = False) -> Problem:
        """A problem with the value (or key) at a path."""
        return Problem(self.file, self.line(*path, of_key=of_key), message, hint)


def _child(node: yaml.Node | None, part: Part) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None


class _UnusableError(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class _Builder:
    """Turns nodes into plain values and notes what is odd about them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.nodes = 0

    def build(self, node: yaml.Node, depth: int = 0) -> Any:
        self.nodes += 1
        if depth > DEEPEST or self.nodes > MOST_NODES:
            what = "nested too deeply" if depth > DEEPEST else "too large"
            raise _UnusableError(node.start_mark.line + 1, f"the file is {what}")
        if isinstance(node, yaml.MappingNode):
            return {key: self.build(value, depth + 1) for key, value in self._items(node)}
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, depth + 1) for item in node.value]
        return self._scalar(node)

    def _items(self, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._add(key, "a key must be a plain word, not a list or a mapping")
            elif key.value in seen:
                self._add(key, f'the key "{key.value}" is here twice, first on line {seen[key.value]}')
            else:
                seen[key.value] = key.start_mark.line + 1
                yield key.value, value

    def _scalar(self, node: yaml.Node) -> Any:
        kind = node.tag.removeprefix(TAG)
        try:
            return _value(kind, node.value)
        except (ValueError, KeyError):
            self._add(node, _odd_tag(node))
            return str(node.value)

    def _add(self, node: yaml.Node, message: str) -> None:
        self.problems.append(Problem(self.file, node.start_mark.line + 1, message))


def _value(kind: str, text: str) -> Any:
    if kind == "int":
        return int(text, 0)
    if kind == "float":
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if kind == "bool":
        return {"true": True, "false": False}[text.lower()]
    return {"str": text, "null": None}[kind]


def _odd_tag(node: yaml.Node) -> str:
    if node.tag.startswith("!") and not node.tag.startswith("!!"):
        return f'put quotes around a value that starts with "!": "{node.tag} {node.value}"'
    return f'"{node.value[:60]}" cannot be read as {node.tag.removeprefix(TAG)}'


def parse_yaml(text: str, file: str) -> Document:
    """Parse the text of a file that should hold a mapping; what is wrong is a problem of the document."""
    builder = _Builder(file)
    try:
        node = _compose(text)
        if not isinstance(node, yaml.MappingNode):
            what = "is empty" if node is None else "must start with a key such as name:, not with a list or a word"
            return Document(file, problems=(Problem(file, 1, f"the file {what}"),))
        return Document(file, builder.build(node), node, tuple(builder.problems))
    except _UnusableError as error:
        return Document(file, problems=(Problem(file, error.line, str(error)),))
    except yaml.YAMLError as error:
        return Document(file, problems=(in_plain_words(error, text, file),))


def _compose(text: str) -> yaml.Node | None:
    loader = _CoreLoader(text)
    try:
        return loader.get_single_node()
    except RecursionError as error:
        raise _UnusableError(1, "the file is nested too deeply") from error
    finally:
        loader.dispose()


def read_yaml(path: Path, file: str) -> Document:
    """Read and parse a file; `file` is its name in problems."""
    try:
        return parse_yaml(path.read_bytes().decode("utf-8-sig"), file)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Document(file, problems=(Problem(file, line, "the file is not UTF-8 text; save it as UTF-8"),))
    except OSError as error:
        return Document(file, problems=(Problem(file, 1, f"cannot read the file: {error.strerror}"),))
