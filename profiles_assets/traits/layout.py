"""Lays a SQL statement out to be read, changing nothing but its white space and how its comments are marked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

WIDTH = 100
COMMA = ", "
TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?\*/|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$\w*\$).*?\1|\w[\w$.]*|.""",
    re.DOTALL,
)
CLAUSES = frozenset({"SELECT", "FROM", "WHERE", "HAVING", "QUALIFY", "WITH", "GROUP", "ORDER", "UNION", "JOIN"})
LINKS = frozenset({"AND", "OR", "WHEN", "ELSE"})
OF_A_JOIN = frozenset({" ", "LEFT", "RIGHT", "FULL", "OUTER", "INNER", "CROSS", "SEMI", "ANTI", "ASOF"})


class Clause(str):
    """What begins a clause of a query."""


class Link(str):
    """What begins a line of a condition or CASE that is too long for one, with the gap before it."""


@dataclass
class Brackets:
    """Brackets of any kind and the parts between them."""

    opened: str = ""
    parts: list["str | Brackets"] = field(default_factory=list)
    closed: str = ""
    flat: str = ""


Parts = list[str | Brackets]


def laid_out(sql: str) -> str:
    """The same statement with a line for each clause, column or argument where one line would be too long."""
    return _query(_read(sql), 0)


def _read(sql: str) -> Parts:
    open_ = [Brackets()]
    for match in TOKEN.finditer(sql):
        text, parts = match[0], open_[-1].parts
        if text in "([{":
            open_.append(Brackets(text))
        elif text in ")]}" and len(open_) > 1:
            _close(open_, text)
        else:
            _add(parts, text)
    while len(open_) > 1:
        _close(open_, "")
    return open_[0].parts


def _add(parts: Parts, text: str) -> None:
    word = text.upper()
    if text.isspace():
        if parts and parts[-1] not in (" ", COMMA):
            parts.append(" ")
    elif text == ",":
        _without_gap(parts)
        parts.append(COMMA)
    elif word in LINKS:
        parts.append(Link(_without_gap(parts) + text))
    elif word in CLAUSES:
        parts.append(Clause(_kind_of_join(parts) + text if word == "JOIN" else text))
    elif text.startswith("--"):  # a comment of the kind that does not end its line
        parts.append(f"/* {text[2:].strip().replace('*/', '* /').replace('/*', '/ *')} */")
    else:
        parts.append(text)


def _kind_of_join(parts: Parts) -> str:
    """The words before JOIN, taken from the parts."""
    kind = ""
    while parts and isinstance(parts[-1], str) and parts[-1].upper() in OF_A_JOIN:
        kind = f"{parts.pop()}{kind}"
    if kind.startswith(" "):
        parts.append(" ")
    return kind.lstrip()


def _close(open_: list[Brackets], text: str) -> None:
    done = open_.pop()
    _without_gap(done.parts)
    done.closed, done.flat = text, f"{done.opened}{_flat(done.parts)}{text}"
    open_[-1].parts.append(done)


def _without_gap(parts: Parts) -> str:
    return str(parts.pop()) if parts and parts[-1] == " " else ""


def _flat(parts: Parts) -> str:
    return "".join(part if isinstance(part, str) else part.flat for part in parts)


def _query(parts: Parts, indent: int) -> str:
    clauses = [_clause(part, indent) for part in _split(parts, Clause) if _flat(part).strip()]
    return "\n".join(clauses)


def _clause(parts: Parts, indent: int) -> str:
    pad = " " * indent
    if isinstance(parts[0], Clause) and parts[0].upper() == "SELECT" and not _fits(_flat(parts), indent):
        return f"{pad}{parts[0]}\n{_list(parts[1:], indent + 2)}"
    return pad + _line(parts, indent)


def _list(parts: Parts, indent: int) -> str:
    return ",\n".join(" " * indent + _line(part, indent) for part in _split(parts, COMMA))


def _line(parts: Parts, indent: int) -> str:
    text = _flat(parts).strip()
    if _fits(text, indent):
        return text
    text, deeper = "", indent + 2
    for part in parts:
        indent = deeper if isinstance(part, Link) else indent
        text += _part(part, indent)
    return text.strip()


def _part(part: str | Brackets, indent: int) -> str:
    if isinstance(part, Link):
        return f"\n{' ' * indent}{part.strip()}"
    if isinstance(part, str) or _fits(part.flat, indent):
        return part if isinstance(part, str) else part.flat
    of_query = bool(part.parts) and isinstance(part.parts[0], Clause)
    inner = (_query if of_query else _list)(part.parts, indent + 2)
    return f"{part.opened}\n{inner}\n{' ' * indent}{part.closed}"


def _fits(flat: str, indent: int) -> bool:
    return len(flat) + indent <= WIDTH


def _split(parts: Parts, at: type[Clause] | str) -> Iterator[Parts]:
    """Parts from one clause to the next, or between commas."""
    found: Parts = []
    for part in parts:
        if part == at or (isinstance(at, type) and isinstance(part, at)):
            yield found
            found = [] if part == at else [part]
        else:
            found.append(part)
    yield found
