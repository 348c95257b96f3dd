"""YAML syntax errors in plain words."""

import re

import yaml

from profiles_assets.project.problems import Problem

AT_START = ("end of stream", "could not find expected ':'")
QUOTE = "put quotes around the value, such as"
SAID = {
    "found duplicate anchor": "the same &name is given twice",
    "alphabetic or numeric character": 'a value cannot start with * or &; put quotes around it, such as "*.csv"',
    "found undefined alias": 'a value cannot start with *; put quotes around it, such as "*.csv"',
    "another document": "a file holds one document; remove the line ---",
    "did not find expected ',' or": "a list [ ] or a mapping { } is not closed, or a comma is missing",
    "mapping values are not allowed": "a second colon in this line; start a new line or quote the text",
    "could not find expected ':'": "a key without a colon after it",
    "did not find expected key": "this line does not fit what is above it; check indentation and quotes",
    "did not find expected '-' indicator": "this line does not fit the list above it; check the indentation",
    "found unexpected end of stream": "a quote is opened here and never closed",
    "block sequence entries are not allowed": "a list item cannot stand here; start it on a new line",
    "special characters are not allowed": "the file has characters that are no text",
    "control characters are not allowed": "the file has characters that are no text",
}


def in_plain_words(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """The problem that a YAML syntax error tells."""
    said = f"{getattr(error, 'problem', None) or getattr(error, 'reason', None) or error}"
    lines = text.splitlines() or [""]
    line = _line(error, len(lines) - 1)
    written = lines[line - 1]
    return Problem(file, line, _message(said, written, getattr(error, "context", None) or ""))


def _line(error: yaml.YAMLError, last: int) -> int:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if any(said in str(getattr(error, "problem", "")) for said in AT_START):
        mark = getattr(error, "context_mark", None) or mark
    return min(mark.line, last) + 1 if mark else 1


def _message(said: str, written: str, context: str) -> str:
    if re.match(r"^\s*\t", written):
        return "a tab cannot indent; use spaces"
    comparison = re.search(r":\s*([>|]=?\s*[^\s,}]+)", written)
    if comparison and "," not in said.replace("','", ""):
        return f'{QUOTE} "{comparison[1]}": a plain > starts a text over many lines'
    if "cannot start any token" in said:
        return f'a value cannot start with % @ or `; {QUOTE} "@name"'
    plain = next((words for key, words in SAID.items() if key in said), None)
    return plain or f"this is not YAML: {' '.join(filter(None, (context, said)))}"
