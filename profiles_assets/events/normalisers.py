"""Normalisers that SQL cannot do, phone numbers and functions of the project, as functions of a connection."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from profiles_assets.events.normaliser_sql import function_name
from profiles_assets.project.id_functions import function_source, source_hash
from profiles_assets.project.normalisers import Step
from profiles_assets.project.problems import Problem, ProjectError
from profiles_assets.project.project import Project

Con = duckdb.DuckDBPyConnection
Convert = Callable[[str], str | None]

BLANKS = " \t\n\v\f\r\u00a0\u200b\ufeff"
REMEMBERED = 200_000


def register_normalisers(con: Con, project: Project) -> None:
    """Make the normalisers that are written in Python known to a connection, unless it knows them.

    Raises ProjectError when the file of a function cannot be run.
    """
    specs = [spec for entity in project.entities.values() for spec in entity.ids.values()]
    for step in dict.fromkeys(step for spec in specs for step in spec.steps if step.in_python):
        if not _known(con, function_name(step)):
            _register(con, function_name(step), converter(project, step))


def _known(con: Con, name: str) -> bool:
    return bool(con.execute("SELECT 1 FROM duckdb_functions() WHERE function_name = ?", [name]).fetchone())


def converter(project: Project, step: Step) -> Convert:
    """The Python function of a step: text to normalised text, None when nothing is left of it."""
    if step.function:
        return _tidied(load_function(project, *step.function, step.option("code")))
    return lambda text: phone_number(text.replace("\0", "").strip(BLANKS), step.option("region"))


def phone_number(text: str, region: str = "") -> str | None:
    """A valid phone number in E.164, such as +493012345678; `region` is the country of numbers without a +."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    valid = phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if valid else None


def load_function(project: Project, file: str, name: str, code: str) -> Callable[[str], object]:
    """A function of the project. Raises ProjectError when its file cannot be run, or is not what it was (`code`)."""
    module = ModuleType(file.removesuffix(".py").replace("/", "."))
    path = project.root / file
    module.__file__ = str(path)
    try:
        source = function_source(project.root, file)
        exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102
        function: Callable[[str], object] = getattr(module, name)
    except Exception as error:
        words = f"the file cannot be run: {type(error).__name__}: {error}"
        raise ProjectError([Problem(file, 1, words)]) from error
    if source_hash(source) != code:
        raise ProjectError([Problem(file, 1, "the file changed since the project was loaded; run it again")])
    return function


def _tidied(function: Callable[[str], object]) -> Convert:
    """A function that fails on no text: an exception, or what is no text, is None."""

    def convert(text: str) -> str | None:
        try:
            found = function(text.replace("\0", ""))
            if not isinstance(found, str):
                return None
            found.encode()
        except Exception:
            return None
        return found.replace("\0", "").strip(BLANKS) or None

    return convert


def _register(con: Con, name: str, convert: Convert) -> None:
    con.create_function(
        name,
        _by_distinct(convert),
        ["VARCHAR"],
        "VARCHAR",
        type=PythonUDFType.ARROW,
        null_handling=FunctionNullHandling.SPECIAL,
    )


def _by_distinct(convert: Convert) -> Callable[[pa.ChunkedArray], Any]:
    """The function over a column of texts; each distinct text is converted once as long as it is remembered."""
    known: dict[str, str | None] = {}

    def converted(texts: pa.ChunkedArray) -> pa.Array:
        codes = texts.combine_chunks().dictionary_encode()
        words = codes.dictionary.to_pylist()
        if len(known) > REMEMBERED:
            known.clear()
        known.update({word: convert(word) for word in words if word not in known})
        return pa.array([known[word] for word in words], pa.string()).take(codes.indices)

    return converted
