"""SQL for the keys of nodes and the ids of profiles, and the numbers of the statuses."""

from resources.tables import literal

KEY_DIGITS = 15
OK, BLOCKED, HUB, BRIDGE, COLLISION, QUARANTINED, LIMIT, UNLINK = range(8)
STATUSES = ("ok", "blocked", "hub", "bridge", "collision", "quarantined")
NOBODY = (BLOCKED, COLLISION, QUARANTINED)


def hashed(text: str) -> str:
    """SQL of the first 60 bits of the md5 of a SQL text, as BIGINT."""
    # half the time of left(md5(text), 15): the engine finds the repeated parts; bytes of the number are in reverse
    number = f"(md5_number({text}) & {0xFFFFFFFFFFFFFFFF}::UHUGEINT)::UBIGINT"
    for bits, mask in ((8, 0x00FF00FF00FF00FF), (16, 0x0000FFFF0000FFFF), (32, 0x00000000FFFFFFFF)):
        number = f"((({number} & {mask}::UBIGINT) << {bits}) | (({number} >> {bits}) & {mask}::UBIGINT))"
    return f"({number} >> {64 - 4 * KEY_DIGITS})::BIGINT"


def node_key(id_type: str, value: str) -> str:
    """SQL key of the node of an id type (a name) and a SQL value; NULL where the value is."""
    return hashed(f"{literal(id_type + ':')} || {value}")


def node_digest(id_type: str, value: str) -> str:
    """SQL number that tells values of one key apart: the last 60 bits of the same md5, in the engine's order."""
    return f"(md5_number({literal(id_type + ':')} || {value}) >> {128 - 4 * KEY_DIGITS})::BIGINT"


def collision_key(id_type: str, value: str) -> str:
    """SQL key that stands for a value whose own key belongs to another value already."""
    return f"('0x' || left(md5('collision:' || {id_type} || ':' || {value}), 15))::BIGINT"


def profile_id(key: str) -> str:
    """SQL id of a profile from its key: the same 60 bits in hexadecimal, NULL for negative keys."""
    return f"CASE WHEN {key} >= 0 THEN format('{{:015x}}', {key}) END"


def profile_key(id_: str) -> str:
    """SQL key of a profile from its id, -1 for NULL."""
    return f"coalesce(('0x' || {id_})::BIGINT, -1)"


def status_name(code: str) -> str:
    """SQL name of a status number."""
    return f"[{', '.join(map(literal, STATUSES))}][{code} + 1]"


def status_code(name: str) -> str:
    """SQL number of a status name, -1 for NULL."""
    return f"(coalesce(list_position([{', '.join(map(literal, STATUSES))}], {name}), 0) - 1)::TINYINT"
