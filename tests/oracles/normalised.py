"""Normalised ids in plain Python, written from the description alone: strings are cut and looked at, piece by piece."""

import hashlib
import string

BLANKS = " \t\n\v\f\r\u00a0\u200b\ufeff"
SCHEME = string.ascii_letters + string.digits + "+.-"
TRACKING = {"gclid", "fbclid", "msclkid", "mc_cid"}
PORTS = {"http": "80", "https": "443"}


def trim(text: str) -> str:
    """Without NUL, and without blanks at the ends."""
    return text.replace("\0", "").strip(BLANKS)


def email(text: str, *, plus: bool = False, dots: bool = False) -> str:
    """In small letters; `plus` drops tags, `dots` the dots of Gmail."""
    value = trim(text).lower()
    if value.count("@") == 1:
        name, domain = value.split("@")
        if plus and domain and name.split("+")[0]:
            name = name.split("+")[0]
        if dots and domain in ("gmail.com", "googlemail.com") and name.strip("."):
            name, domain = name.replace(".", ""), "gmail.com"
        value = f"{name}@{domain}"
    return value


def hashed(text: str) -> str:
    """SHA-256 of the lower-case text; hashes stay."""
    value = trim(text).lower()
    if len(value) == 64 and set(value) <= set(string.hexdigits):
        return value
    return hashlib.sha256(value.encode()).hexdigest() if value else ""


def host(text: str) -> str:
    """The host in an address, or nothing."""
    value = trim(text)
    before, slashes, after = value.partition("//")
    if slashes and (not before or (before[-1] == ":" and _is_scheme(before[:-1]))):
        value = after
    elif value.startswith("mailto:"):
        value = value.removeprefix("mailto:")
    authority = value[: min((value.find(c) for c in "/?#" if c in value), default=len(value))]
    found = _host_and_port(authority.rpartition("@")[2])
    return _host_name(found[0], www=True) if found else ""


def url(text: str, *, scheme: bool = False, www: bool = False) -> str:
    """The address written in one way; `scheme` and `www` drop these."""
    value = trim(text)
    head, _, query = value.partition("#")[0].partition("?")
    start, mark, rest = head.partition("://")
    has_scheme = bool(mark) and _is_scheme(start)
    authority, slash, path = (rest if has_scheme else head).partition("/")
    if has_scheme and authority.count("@") == 1:
        authority = authority.partition("@")[2]
    found = _host_and_port(authority)
    if found is None:
        return value
    name, port = found
    shown = "" if not port or (has_scheme and PORTS.get(start.lower()) == port) else f":{port}"
    kept = "&".join(part for part in query.split("&") if part.strip(BLANKS) and not _tracks(part.strip(BLANKS)))
    left = (slash + path).rstrip("/" + BLANKS) + ("?" + kept if kept else "")
    return (f"{start.lower()}://" * (has_scheme and not scheme) + _host_name(name, www=www) + shown + left).strip(
        BLANKS
    )


def _is_scheme(text: str) -> bool:
    return bool(text) and text[0] in string.ascii_letters and set(text) <= set(SCHEME)


def _tracks(part: str) -> bool:
    name = part.partition("=")[0].lower()
    return name in TRACKING or name.startswith("utm_")


def _host_and_port(text: str) -> tuple[str, str] | None:
    if text.startswith("["):
        name, close, rest = text.partition("]")
        name, fine = name + close, bool(close) and set(name[1:]) <= set(string.hexdigits + ":.") and name != "["
        fine = fine and (not rest or rest[0] == ":")
    else:
        name, _, rest = text.partition(":")
        rest, fine = text[len(name) :], bool(name) and not set(name) & set(BLANKS + "@[]")
    port = rest[1:]
    if not fine or (rest and not (port and set(port) <= set(string.digits))):
        return None
    return name, port


def _host_name(name: str, *, www: bool) -> str:
    name = name.rstrip(".").lower()
    while www and name.startswith("www.") and name != "www.":
        name = name.removeprefix("www.")
    return name
