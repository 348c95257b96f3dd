"""Reads functions/*.py without running them, and says what is wrong with each."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from profiles_assets.project.base import NAME
from profiles_assets.project.checked import checked
from profiles_assets.project.functions import (
    LOOKS_LIKE_ONE,
    PARAMETERS,
    FunctionConfig,
    ProfileFunction,
    assigned_config,
    config_node,
    decorated_config,
    entry_points,
    function_from,
)
from profiles_assets.project.problems import Problem
from profiles_assets.project.yaml_lines import Document, Part


@dataclass(frozen=True)
class ConfigDocument(Document):
    """The `config` of a function as a document, so that its mistakes are told like those of YAML."""

    node: ast.expr | None = None

    @classmethod
    def of(cls, file: str, code: str) -> "ConfigDocument":
        """The document of the text of a file."""
        return _config(file, ast.parse(code))[0]

    def line(self, *path: Part, of_key: bool = False) -> int:
        """Line of a value in the dict, or of its key; of the dict where the path leads nowhere."""
        node: ast.AST | None = self.node
        line = getattr(node, "lineno", 1)
        for part in path:
            key, node = _inside(node, part)
            line = getattr(key if of_key and key is not None else node, "lineno", line)
        return int(line)


def _inside(node: ast.AST | None, part: Part) -> tuple[ast.AST | None, ast.AST | None]:
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return next(((k, v) for k, v in pairs if isinstance(k, ast.Constant) and k.value == part), (None, None))
    if isinstance(node, ast.List | ast.Tuple) and isinstance(part, int) and part < len(node.elts):
        return None, node.elts[part]
    return None, None


def read_functions(root: Path, entity: str) -> tuple[list[ProfileFunction], list[Problem]]:
    """The profile functions in functions/ of a project and what is wrong with their files, taken by themselves."""
    found, problems = list[ProfileFunction](), list[Problem]()
    texts = dict(_texts(root))
    for file, code in texts.items():
        if not LOOKS_LIKE_ONE.search(code):
            continue
        function, wrong = read_function(file, code, entity, texts)
        problems += wrong
        if function:
            found.append(function)
    return found, problems


def _texts(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((root / "functions").glob("**/*.py")):
        try:
            yield path.relative_to(root).as_posix(), path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            continue  # whoever refers to it is told


def read_function(
    file: str, code: str, entity: str, texts: dict[str, str]
) -> tuple[ProfileFunction | None, list[Problem]]:
    """The function of a file, and what is wrong with it; without it where the file is not Python."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None) or 1
        return None, [Problem(file, line, f"this is not Python: {getattr(error, 'msg', error)}")]
    document, problems = _config(file, tree)
    config, wrong = checked(FunctionConfig, document)
    problems += [*wrong, *_shape(file, tree), *_imports(file, tree)]
    function = function_from(file, code, config or FunctionConfig(), entity, texts)
    if function.config.name is None and not re.match(NAME, function.name):
        message = f'the file name "{function.name}" becomes the name of a function'
        problems.append(Problem(file, 1, message, 'use small letters, digits and _, or write "name" in config'))
    return function, problems


def _config(file: str, tree: ast.Module) -> tuple[ConfigDocument, list[Problem]]:
    node = config_node(tree)
    try:
        given = ast.literal_eval(node) if node is not None else {}
    except ValueError:
        hint = "write plain values; the file is read before it is run"
        return ConfigDocument(file), [Problem(file, node.lineno, "config is no dict of plain values", hint)]  # type: ignore[union-attr]
    if not isinstance(given, dict):
        return ConfigDocument(file), [Problem(file, node.lineno, "config is no dict")]  # type: ignore[union-attr]
    return ConfigDocument(file, given, node=node), []


def _shape(file: str, tree: ast.Module) -> Iterator[Problem]:
    found = entry_points(tree)
    decorated = decorated_config(tree)
    if decorated is not None and assigned_config(tree) is not None:
        yield Problem(file, decorated.lineno, "it has both config and a decorator", "keep one of them")
    if len(found) > 1:
        yield Problem(file, tree.body[-1].lineno, "it has both profile and profile_batch", "keep one of them")
    for name, function in found.items():
        given, want = function.args, PARAMETERS[name]
        positional = [*given.posonlyargs, *given.args]
        needed = len(positional) - len(given.defaults)
        fits = needed <= len(want) and (len(positional) >= len(want) or given.vararg) and None not in given.kw_defaults
        if not fits:
            taken = ", ".join(a.arg for a in positional)
            yield Problem(file, function.lineno, f"{name} takes ({taken})", f"write def {name}({', '.join(want)})")


def _imports(file: str, tree: ast.Module) -> Iterator[Problem]:
    """Modules imported at the top that are not there; those in a try are the function's own affair."""
    for node in tree.body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
        if isinstance(node, ast.ImportFrom) and node.level:
            yield Problem(file, node.lineno, "it imports another file", "a function is published alone; put all in it")
        for name in names:
            if find_spec(name.split(".")[0]) is None:
                yield Problem(file, node.lineno, f'it imports "{name}", which is not installed', "install it")
