"""The graph of one profile, or around one id that identifies nobody."""

from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.identity.explain import barred_words
from profiles_assets.identity.explain_links import NO_STEP, Id, Link, read_ids, read_links, stage_pairs
from profiles_assets.identity.explain_read import Asked

Con = duckdb.DuckDBPyConnection
MOST_IDS = 2_000


@dataclass(frozen=True)
class ProfileGraph:
    """Ids of a profile and the links among them, and what is beside it.

    `beside` are ids seen with it that belong to nobody or to another profile; `outward` links lead to them. `notes`
    say in words why these are not part of it. Of `size` ids at most `MOST_IDS` are drawn, those seen most often.
    """

    entity: str
    as_of: date | None
    profile_id: str | None
    root: int
    size: int
    ids: list[Id]
    links: list[Link]
    beside: list[Id] = field(default_factory=list)
    outward: list[Link] = field(default_factory=list)
    notes: dict[int, str] = field(default_factory=dict)


def explain_profile(con: Con, asked: Asked, as_of: date | None, most: int = MOST_IDS) -> ProfileGraph:
    """The graph around an id: its profile, or itself where it identifies nobody; needs the views of `stage_reading`."""
    if asked.status in NO_STEP:  # half of the records may say null
        ids = read_ids(con, [asked.key])
        notes = {asked.key: barred_words(con, ids[asked.key])}
        return ProfileGraph(asked.entity, as_of, None, asked.key, 1, [*ids.values()], [], notes=notes)
    mine = f"FROM explain_ids WHERE grp = (SELECT grp FROM explain_ids WHERE key = {asked.key})"
    size = con.execute(f"SELECT count(*) {mine}").fetchone()
    stage_pairs(con, f"SELECT key {mine} ORDER BY key = {asked.key} DESC, count DESC, key LIMIT {most}")
    inside, outside = _ends(con, "SEMI", "p.a < p.b", most), _ends(con, "ANTI", "true", most)
    ids = read_ids(con, [row[0] for row in con.execute("FROM explain_keys").fetchall()])
    beside = read_ids(con, {end for _, end in outside})
    links, outward = (read_links(con, ends) for ends in (inside, outside))
    outward = [link for link in outward if link.b in beside]
    notes = {one.key: barred_words(con, one) for one in (*ids.values(), *beside.values()) if one.status != "ok"}
    notes |= {link.b: _beside_words(asked, beside[link.b], link) for link in outward if link.b not in notes}
    assert size is not None
    return ProfileGraph(
        asked.entity,
        as_of,
        asked.profile_id,
        asked.key,
        size[0],
        [*ids.values()],
        links,
        [*beside.values()],
        outward,
        notes,
    )


def _ends(con: Con, join: str, where: str, most: int) -> list[tuple[int, int]]:
    """Pairs from the profile to itself or to other ids, those with the most records first."""
    return con.execute(
        f"SELECT p.a, p.b FROM explain_pairs p SEMI JOIN explain_keys k ON k.key = p.a {join} JOIN explain_keys o "
        f"ON o.key = p.b WHERE {where} ORDER BY p.count DESC, p.a, p.b LIMIT {10 * most}"
    ).fetchall()


def _beside_words(asked: Asked, other: Id, link: Link) -> str:
    where = f"{other.name} is in profile {other.profile_id}"
    if asked.profile_id is None:
        return where
    return f"{where}: {link.yielded or 'another link in the same records yielded'}"
