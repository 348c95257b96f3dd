"""Explanations as lines of text."""

from collections.abc import Sequence

from profiles_assets.identity.explain import Explanation
from profiles_assets.identity.explain_links import Id, Link
from profiles_assets.identity.explain_profile import ProfileGraph
from profiles_assets.identity.explain_read import seen_words

MOST_LINES = 60


def pair_lines(found: Explanation) -> list[str]:
    """The way between two ids, one line for each link, and what keeps the two apart."""
    not_one = f"not one {found.entity}"
    head = f"one {found.entity}: profile {found.ids[0].profile_id}" if found.together else not_one
    lines = [f"{head}   as of {found.as_of}", *(f"  {why}" for why in found.why)]
    if not found.ids:
        return lines
    lines += ["", _id_line(found.ids[0], found.ids[0])]
    for link, before, one in zip(found.links, found.ids, found.ids[1:], strict=False):
        lines += [f"  │  {link_words(link)}", _id_line(one, before)]
    return lines


def link_words(link: Link) -> str:
    """Evidence of a link: records, sources, load days and moments; and who linked it by hand."""
    told = [f"linked {link.rule.words}"] if link.rule else []
    if link.count:
        days = " to ".join(map(str, dict.fromkeys([link.first_day, link.last_day])))
        told += [f"{link.count:,} record{'s' * (link.count != 1)} of {', '.join(link.sources)}", f"loaded {days}"]
        told += [f"seen {seen_words(link.first_seen, link.last_seen)}"]
    return "; ".join([*told, *(f"yielded: {text}" for text in [link.yielded] if text)])


def graph_lines(graph: ProfileGraph, most: int = MOST_LINES) -> list[str]:
    """A profile as a tree from the id asked for, with what is beside it."""
    names = {one.key: one for one in (*graph.ids, *graph.beside)}
    head = f"{graph.entity} {graph.profile_id}" if graph.profile_id else f"{names[graph.root].name}, nobody's"
    tree = _tree(graph, names)
    counted = f"{graph.size:,} ids, {len(graph.links):,} links" if graph.profile_id else names[graph.root].status
    lines = [f"{head}   {counted}   as of {graph.as_of}", "", *tree[:most], *_more(len(tree) - most)]
    if graph.notes:
        first = [graph.notes[graph.root]] if graph.root in graph.notes else []
        told = first + sorted(note for key, note in graph.notes.items() if key != graph.root)
        lines += ["", "beside it" if graph.profile_id else "why", *(f"  {note}" for note in told[:most])]
        lines += _more(len(told) - most)
    return lines


def _tree(graph: ProfileGraph, names: dict[int, Id]) -> list[str]:
    """Lines of a spanning tree; the ids nearest to the root come through their link with the most records."""
    near = _neighbours(graph.links if graph.profile_id else graph.outward)
    children = _children(near, graph.root)
    lines: list[str] = []
    stack: list[tuple[int, str, str, Link | None]] = [(graph.root, "", "", None)]
    while stack:
        key, lead, under, link = stack.pop()
        lines.append(f"{lead}{names[key].name}" + (f"   {link_words(link)}" if link else ""))
        below = children[key]
        for at, (other, reached) in reversed([*enumerate(below, 1)]):
            last = at == len(below)
            stack.append((other, under + ("└─ " if last else "├─ "), under + ("   " if last else "│  "), reached))
    return lines


def _children(near: dict[int, list[tuple[int, Link]]], root: int) -> dict[int, list[tuple[int, Link]]]:
    """Those reached through each id first, level by level."""
    told, queue = {root}, [root]
    children: dict[int, list[tuple[int, Link]]] = {}
    for key in queue:
        children[key] = [(other, link) for other, link in near.get(key, []) if other not in told]
        told.update(other for other, _ in children[key])
        queue += [other for other, _ in children[key]]
    return children


def _neighbours(links: Sequence[Link]) -> dict[int, list[tuple[int, Link]]]:
    near: dict[int, list[tuple[int, Link]]] = {}
    for link in sorted(links, key=lambda one: (-one.count, one.a, one.b)):
        near.setdefault(link.a, []).append((link.b, link))
        near.setdefault(link.b, []).append((link.a, link))
    return near


def _more(count: int) -> list[str]:
    return [f"  … and {count:,} more, all of them with --json"] if count > 0 else []


def _id_line(one: Id, before: Id) -> str:
    aside = f"   {one.status}" if one.status != "ok" else ""
    changed = one.profile_id and one.profile_id != before.profile_id
    return f"  {one.name}{aside}{f'   profile {one.profile_id}' if changed else ''}"
