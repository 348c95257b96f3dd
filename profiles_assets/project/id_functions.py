"""Functions of a project that normalise ids, `file.py:function`: their source, and what is wrong with it."""

import ast
import hashlib
from pathlib import Path, PurePosixPath

from profiles_assets.project.problems import any_of, did_you_mean

Fault = tuple[str, str]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def function_source(root: Path, file: str) -> str:
    """Text of a file of the project. Raises OSError or UnicodeDecodeError when it cannot be read."""
    return (root / file).read_text("utf-8-sig")


def function_hash(root: Path, file: str) -> str:
    """Hash of the file that has a function: whatever changes in it may change what the function does.

    Empty when it cannot be read, which is reported elsewhere.
    """
    try:
        return source_hash(function_source(root, file))
    except (OSError, UnicodeDecodeError):
        return ""


def source_hash(source: str) -> str:
    """Hash of the text of a file."""
    return hashlib.md5(source.encode(), usedforsecurity=False).hexdigest()


NORMALISER = (1, "text: str) -> str | None")


def function_fault(root: Path, file: str, name: str, takes: tuple[int, str] = NORMALISER) -> Fault | None:
    """What is wrong with a function, and a hint; None when it can be called. The file is read, not run.

    `takes` says how many values it may need at most, and how to write it.
    """
    inside = PurePosixPath(file)
    if inside.is_absolute() or ".." in inside.parts:
        return f'"{file}" is outside the project', "put it into functions/ of the project"
    try:
        tree = ast.parse(function_source(root, file))
    except FileNotFoundError:
        near = [path.relative_to(root).as_posix() for path in root.glob("functions/**/*.py")]
        return f'there is no file "{file}" in the project', did_you_mean(file, near)
    except (OSError, UnicodeDecodeError):
        return f'"{file}" cannot be read', "save it as UTF-8 text"
    except (SyntaxError, ValueError, RecursionError) as error:
        return f'"{file}" is not Python: {error}', ""
    functions = {node.name: node for node in tree.body if isinstance(node, Function)}
    if name not in functions:
        has = f"it has {any_of([*functions])}" if functions else "it has none"
        return f'"{file}" has no function "{name}"', did_you_mean(name, functions) or has
    return _unsuited(functions[name], *takes)


def _unsuited(function: Function, most: int, write: str) -> Fault | None:
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    needed = len(positional) - len(given.defaults)
    fits = needed <= most and bool(positional or given.vararg) and None not in given.kw_defaults
    if isinstance(function, ast.AsyncFunctionDef) or not fits:
        keyword_only = [a.arg for a, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if not default]
        taken = [a.arg for a in positional] + keyword_only
        what = "is async" if isinstance(function, ast.AsyncFunctionDef) else f"takes ({', '.join(taken)})"
        return f'function "{function.name}" {what}', f"write def {function.name}({write}"
    return None
