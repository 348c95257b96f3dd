"""Values that identify nobody: placeholders, blanks, all-zero uuids, shared mailboxes, declared ones."""

from collections.abc import Sequence
from hashlib import sha256

from profiles_assets.events.normaliser_sql import steps_sql
from profiles_assets.events.normalisers import phone_number
from profiles_assets.project.entities import Entity, IdType
from resources.tables import literal

PLACEHOLDERS = (
    *("", "0", "-1", "null", "none", "nan", "undefined", "unknown", "anonymous", "guest"),
    *("true", "false", "[object object]"),
)
LONGEST = max(map(len, PLACEHOLDERS))
ZERO_UUID = r"\{?0{8}-?0{4}-?0{4}-?0{4}-?0{12}\}?"
ZERO_UUIDS = ("00000000-0000-0000-0000-000000000000", "0" * 32)
DRESSES = ("{}", '"{}"', "'{}'")
MAILBOXES = (
    *("no[-_.]?reply", "do[-_.]?not[-_.]?reply", "mailer-daemon", "postmaster", "webmaster", "hostmaster", "abuse"),
    *("info", "support", "help", "service", "hello", "contact", "kontakt", "office", "admin", "mail", "team"),
    *("sales", "billing", "accounts", "invoices?", "orders?", "marketing", "newsletter", "jobs", "hr"),
)
SHARED_MAILBOX = rf"({'|'.join(MAILBOXES)})(\+[^@]*)?@.*"
FEW_AROUND = ("'`'", "chr(160)")
AROUND = ("' '", "'\"'", "''''", *FEW_AROUND, *(f"chr({code})" for code in (9, 10, 11, 13)))  # others sort before (


def blocked(entity: Entity, id_type: str = "id_type", value: str = "value") -> str:
    """SQL condition: the value (a SQL expression) of this type identifies nobody."""
    odd = " OR ".join(f"starts_with({value}, {sign}) OR ends_with({value}, {sign})" for sign in FEW_AROUND)
    edged = f"{value} < '(' OR {value}[-1] < '(' OR {odd}"
    plain = _plain(value)
    # CASE evaluates the dear test only where the cheap one leaves it open, which is nearly nowhere; IN would be a join
    words = f"list_contains([{', '.join(map(literal, PLACEHOLDERS))}], {plain})"
    tests = [
        _lazily(f"length({value}) <= {LONGEST} OR {edged}", words),
        _lazily(f"contains({value}, '00000000')", f"regexp_full_match({plain}, '{ZERO_UUID}')"),
    ]
    declared = [_declared(name, spec, id_type, value) for name, spec in entity.ids.items()]
    return f"({' OR '.join([*tests, *filter(None, declared)])})"


def _declared(name: str, spec: IdType, id_type: str, value: str) -> str:
    tests = _hashed_tests(spec, value) if spec.hashed else _plain_tests(spec, value)
    return _lazily(f"{id_type} = {literal(name)}", " OR ".join(tests)) if tests else ""


def _plain_tests(spec: IdType, value: str) -> list[str]:
    tests = []
    if spec.block:
        tests.append(f"{_plain(value)} IN ({', '.join(_plain(literal(text)) for text in spec.block)})")
        tests.append(f"{value} IN ({', '.join(_as_stored(spec, text) for text in spec.block)})")
    if spec.block_shared_mailboxes:
        tests.append(f"regexp_full_match({_plain(value)}, {literal(SHARED_MAILBOX)})")
    if spec.block_matching:
        tests.append(_matches(value, spec.block_matching))
    if spec.only_matching:
        tests.append(f"NOT {_matches(value, spec.only_matching)}")
    return tests


def _as_stored(spec: IdType, text: str) -> str:
    """SQL of a declared value as it would be stored; values of the project's own functions stay as declared."""
    steps = spec.steps
    if steps[0].name == "phone":
        text, steps = phone_number(text, steps[0].option("region")) or text, steps[1:]
    if not steps or any(step.in_python for step in steps):
        return literal(text)
    return f"coalesce({steps_sql(steps, literal(text))}, '')"


def _matches(value: str, patterns: Sequence[str]) -> str:
    return f"({' OR '.join(f'regexp_matches({value}, {literal(pattern)})' for pattern in patterns)})"


def _hashed_tests(spec: IdType, value: str) -> list[str]:
    """Hashes are compared with those of the values that identify nobody, as they are often written."""
    words = [dress.format(word) for word in (*PLACEHOLDERS, *ZERO_UUIDS) for dress in DRESSES]
    known = [literal(sha256(text.lower().encode()).hexdigest()) for text in (*words, *spec.block)]
    return [f"{value} IN ({', '.join([*known, *(_as_stored(spec, text) for text in spec.block)])})"]


def _plain(value: str) -> str:
    return f"lower(trim({value}, {' || '.join(AROUND)}))"


def _lazily(cheap: str, dear: str) -> str:
    return f"CASE WHEN {cheap} THEN {dear} ELSE false END"
