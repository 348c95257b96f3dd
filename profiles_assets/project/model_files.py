"""Python models of a project, `models/<name>.py`: what is wrong with the file, which is read and not run."""

import ast
import re
from pathlib import Path

from profiles_assets.project.id_functions import function_source
from profiles_assets.project.problems import any_of, did_you_mean

KINDS = ("auto", "btyd", "boosted", "blend")
FILE = re.compile(r"^models/[a-z][a-z0-9_]*\.py$")
ENTRY = "Model"
LEARN, ANSWERS = "fit", ("predict_proba", "predict")
SCHEMA = {"anyOf": [{"enum": list(KINDS)}, {"type": "string", "pattern": FILE.pattern}]}

Fault = tuple[str, str]


def model_kind(value: str) -> str:
    """The name of a built-in kind of model or of a Python file. Raises ValueError for anything else."""
    if value in KINDS or FILE.match(value):
        return value
    hint = did_you_mean(value, KINDS)
    words = f'"{value}" is no model; write {any_of(KINDS)}, or a file such as models/churn.py'
    raise ValueError(f"{words}; {hint}" if hint else words)


def model_source(folder: Path, file: str) -> str:
    """Text of a Python model; empty when it cannot be read, which is reported elsewhere."""
    try:
        return function_source(folder, file)
    except (OSError, UnicodeDecodeError):
        return ""


def model_fault(folder: Path, file: str, is_probability: bool) -> Fault | None:
    """What is wrong with a Python model, and a hint; None when it looks like an estimator."""
    try:
        tree = ast.parse(function_source(folder, file))
    except FileNotFoundError:
        near = [path.relative_to(folder).as_posix() for path in folder.glob("models/*.py")]
        return f'there is no file "{file}" in the project', did_you_mean(file, near)
    except (OSError, UnicodeDecodeError):
        return f'"{file}" cannot be read', "save it as UTF-8 text"
    except (SyntaxError, ValueError, RecursionError) as error:
        return f'"{file}" is not Python: {error}', ""
    return _missing(tree, file, is_probability)


def _missing(tree: ast.Module, file: str, is_probability: bool) -> Fault | None:
    """A class with bases, a function or a name may be anything: whoever fits it looks again."""
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    names = [n.id for s in tree.body if isinstance(s, ast.Assign) for n in s.targets if isinstance(n, ast.Name)]
    if ENTRY not in [*classes, *functions, *names]:
        hint = did_you_mean(ENTRY, [*classes, *functions]) or f"write class {ENTRY} with fit and predict_proba"
        return f'"{file}" has no class "{ENTRY}"', hint
    if ENTRY not in classes or classes[ENTRY].bases:
        return None
    methods = {node.name for node in classes[ENTRY].body if isinstance(node, ast.FunctionDef)}
    answer = ANSWERS[0] if is_probability else ANSWERS[1]
    lacking = [name for name in (LEARN, answer) if name not in methods]
    if lacking:
        return f'class "{ENTRY}" of "{file}" has no method "{lacking[0]}"', f"it needs {LEARN}(X, y) and {answer}(X)"
    return None
