"""Normalisers as SQL expressions; NUL characters, which not every engine can hold, are left out by all of them.

Each gives the text, empty or NULL when nothing is left, and gives its own results back as they are.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial

from profiles_assets.project.normalisers import Step
from resources.tables import literal, quote

BLANKS = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(160) || chr(8203) || chr(65279)"
HOST = r"[^\s\x{0b}\x{a0}\x{200b}\x{feff}@:/?#\[\]]+|\[[0-9A-Fa-f:.]+\]"
SCHEME = r"[A-Za-z][A-Za-z0-9+.\-]*"
URL = rf"(?s)^(?:({SCHEME})://(?:[^@/?#]*@)?)?({HOST})(?::([0-9]+))?(/[^?#]*)?(?:\?([^#]*))?(?:#.*)?$"
ADDRESS = rf"(?s)^(?:(?:{SCHEME}:)?//|mailto:)?(?:[^/?#]*@)?({HOST})(?::[0-9]+)?(?:[/?#].*)?$"
PARTS = ("scheme", "host", "port", "path", "query")
TRACKING = (
    "utm_[^=]*", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "msclkid", "ttclid", "twclid", "yclid",
    "li_fat_id", "igshid", "mc_cid", "mc_eid", "_hsenc", "_hsmi",
)  # fmt: skip
TRACKER = rf"(?is)({'|'.join(TRACKING)})(=.*)?"
DEFAULT_PORTS = (("http", "80"), ("https", "443"))
GMAIL = r"(?s)[^@]*[^@.][^@]*@(gmail|googlemail)\.com"


def steps_sql(steps: Sequence[Step], column: str) -> str:
    """SQL of the normalised value of a text, by one step after the other; NULL when nothing is left of it."""
    value = _step_sql(steps[0], column)
    for step in steps[1:]:
        value = function_sql(step, value) if step.in_python else let(value, partial(_step_sql, step))
    return f"nullif({value}, '')"


def _step_sql(step: Step, column: str) -> str:
    return function_sql(step, column) if step.in_python else SQL[step.name](step, column)


def function_sql(step: Step, value: str) -> str:
    """SQL of a step that is done in Python, by a function registered on the connection."""
    return f"{quote(function_name(step))}({value})"


def function_name(step: Step) -> str:
    """Name under which a step is registered on a connection."""
    return f"normalise_{hashlib.md5(repr(step).encode(), usedforsecurity=False).hexdigest()[:12]}"


def let(value: str, body: Callable[[str], str], name: str = "one") -> str:
    """SQL of an expression over a value that is computed once."""
    return f"list_transform([{value}], lambda {name}: {body(name)})[1]"


def _bare(_step: Step, column: str) -> str:
    return f"CASE WHEN contains({column}, chr(0)) THEN replace({column}, chr(0), '') ELSE {column} END"


def _trim(_step: Step, column: str) -> str:
    return f"CASE WHEN {_untidy(column)} THEN trim(replace({column}, chr(0), ''), {BLANKS}) ELSE {column} END"


def _untidy(column: str) -> str:
    """Cheap SQL test for values that trimming might change: anything but plain ASCII at either end."""
    ends = f"{column} < '!' OR {column} > '~~' OR right({column}, 1) NOT BETWEEN '!' AND '~'"
    return f"{ends} OR contains({column}, chr(0))"


def _lower(step: Step, column: str) -> str:
    return f"lower({_trim(step, column)})"


def _email(step: Step, column: str) -> str:
    value = _lower(step, column)
    if step.drops("plus_tags"):
        value = rf"regexp_replace({value}, '^([^@+]+)\+[^@]*@([^@]+)$', '\1@\2')"
    return let(value, _gmail) if step.drops("gmail_dots") else value


def _gmail(value: str) -> str:
    plain = f"replace(split_part({value}, '@', 1), '.', '') || '@gmail.com'"
    return f"CASE WHEN regexp_full_match({value}, '{GMAIL}') THEN {plain} ELSE {value} END"


def _hash(step: Step, column: str) -> str:
    return let(_lower(step, column), hash_sql)


def hash_sql(value: str) -> str:
    """SQL of the SHA-256 of a lower-case text in hex; what looks like one stays."""
    is_hash = f"regexp_full_match({value}, '[0-9a-f]{{64}}')"
    return f"CASE WHEN {is_hash} THEN {value} WHEN {value} <> '' THEN sha256({value}) END"


def _host(step: Step, column: str) -> str:
    return _host_name(f"regexp_extract({_trim(step, column)}, '{ADDRESS}', 1)", www=True)


def _host_name(host: str, *, www: bool) -> str:
    name = f"lower(rtrim({host}, '.'))"
    return rf"regexp_replace({name}, '^(www\.)+(.)', '\2')" if www else name


def _url(step: Step, column: str) -> str:
    return let(_trim(step, column), lambda text: _where_address(text, _parsed(step, text)))


def _where_address(text: str, parsed: str) -> str:
    return f"CASE WHEN regexp_matches({text}, '{URL}') THEN {parsed} ELSE {text} END"


def _parsed(step: Step, text: str) -> str:
    parts = f"regexp_extract({text}, '{URL}', [{', '.join(map(literal, PARTS))}])"
    return let(parts, lambda url: f"trim({_address(step, url)}, {BLANKS})", "url")


def _address(step: Step, url: str) -> str:
    start = f"CASE WHEN {url}.scheme <> '' THEN lower({url}.scheme) || '://' ELSE '' END"
    default = " OR ".join(f"(lower({url}.scheme) = '{name}' AND {url}.port = '{port}')" for name, port in DEFAULT_PORTS)
    port = f"CASE WHEN {url}.port = '' OR {default} THEN '' ELSE ':' || {url}.port END"
    path = f"rtrim({url}.path, '/' || {BLANKS})"
    parts = [_host_name(f"{url}.host", www=step.drops("www")), port, path, _query(url)]
    return " || ".join(parts if step.drops("scheme") else [start, *parts])


def _query(url: str) -> str:
    name = f"trim(part, {BLANKS})"
    kept = f"lambda part: {name} <> '' AND NOT regexp_full_match({name}, {literal(TRACKER)})"
    left = let(
        f"array_to_string(list_filter(string_split({url}.query, '&'), {kept}), '&')",
        lambda query: f"CASE WHEN {query} = '' THEN '' ELSE '?' || {query} END",
        "query",
    )
    return f"CASE WHEN {url}.query = '' THEN '' ELSE {left} END"


SQL: dict[str, Callable[[Step, str], str]] = {
    "none": _bare,
    "trim": _trim,
    "lower": _lower,
    "email": _email,
    "url": _url,
    "host": _host,
    "hash": _hash,
}
