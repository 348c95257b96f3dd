"""An independent, plain reading of a landing folder, and a plain resolution of its ids."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

Node = tuple[str, str]
VOID = {"", "null", "undefined", "noreply@shop.example"}
COLUMNS = 12


@dataclass
class Day:
    """What one file says."""

    source: str
    day: date
    events: list[dict[str, Any]] = field(default_factory=list)
    malformed: Counter[str] = field(default_factory=Counter)
    lines: int = 0


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _flat(event: dict[str, Any]) -> dict[str, Any]:
    traits = event.get("traits") or event["context"].get("traits") or {}
    return {
        **event,
        "key": event["messageId"],
        "user_id": event.get("userId"),
        "email": traits.get("email"),
        "device_id": event["context"].get("device", {}).get("id"),
        "anonymous_id": event.get("anonymousId"),
    }


def _json_line(line: str) -> dict[str, Any] | str:
    try:
        event = json.loads(line)
    except json.JSONDecodeError:
        return "truncated" if line.startswith("{") else "not_json"
    return _dated(_flat(event), event.get("timestamp"))


def _csv_line(line: str, header: list[str]) -> dict[str, Any] | str:
    cells = next(csv.reader(io.StringIO(line)))
    if len(cells) != COLUMNS:
        return "wrong_columns"
    event: dict[str, Any] = dict(zip(header, cells, strict=True))
    return _dated({**event, "key": event["order_id"]}, event["ordered_at"])


def _dated(event: dict[str, Any], time: str | None) -> dict[str, Any] | str:
    if not time:
        return "missing_timestamp"
    try:
        return {**event, "time": moment(time)}
    except ValueError:
        return "bad_timestamp"


def read_day(path: Path) -> Day:
    day = Day(path.parent.parent.name, date.fromisoformat(path.parent.name))
    raw = path.read_bytes()
    lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode().splitlines()
    header = lines.pop(0).split(",") if day.source == "orders" else []
    day.lines = len(lines)
    for line in lines:
        event = _csv_line(line, header) if header else _json_line(line)
        if isinstance(event, str):
            day.malformed[event] += 1
        else:
            day.events.append(event)
    return day


def read_landing(out: Path) -> Iterator[Day]:
    for source in ("tracks", "identifies", "orders"):
        for path in sorted((out / "landing" / source).glob("*/*")):
            yield read_day(path)


def duplicates(days: Iterable[Day]) -> dict[date, int]:
    """Per day of one source: events whose key arrived in the same day or the seven before."""
    last: dict[str, date] = {}
    found: dict[date, int] = {}
    for day in days:
        found[day.day] = 0
        for event in day.events:
            before = last.get(event["key"])
            found[day.day] += before is not None and day.day - before <= timedelta(days=7)
            last.setdefault(event["key"], day.day)
    return found


class Sets:
    """Union-find."""

    def __init__(self) -> None:
        self.parent: dict[Node, Node] = {}

    def find(self, node: Node) -> Node:
        self.parent.setdefault(node, node)
        while self.parent[node] != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def join(self, nodes: Iterable[Node]) -> None:
        roots = [self.find(node) for node in nodes]
        for root in roots[1:]:
            self.parent[self.find(root)] = self.find(roots[0])


def ids_of(event: dict[str, Any]) -> list[Node]:
    """The ids of an event that are somebody's."""
    names = ("user_id", "email", "device_id", "anonymous_id")
    values = [(name, (event.get(name) or "").strip()) for name in names]
    values = [(name, value.lower() if name == "email" else value) for name, value in values]
    return [(name, value) for name, value in values if value not in VOID]


def resolve(tuples: Iterable[tuple[Node, ...]]) -> dict[Node, Node]:
    """Profiles when a device or anonymous id seen with more than one known component links nobody."""
    distinct = set(tuples)
    known, sets = Sets(), Sets()
    strong = {"user_id", "email"}
    for nodes in distinct:
        known.join(node for node in nodes if node[0] in strong)
    seen: dict[Node, set[Node]] = defaultdict(set)
    for nodes in distinct:
        components = {known.find(node) for node in nodes if node[0] in strong}
        for node in nodes:
            if node[0] not in strong:
                seen[node] |= components
    for nodes in distinct:
        sets.join(node for node in nodes if len(seen[node]) <= 1)
    return {node: sets.find(node) for nodes in distinct for node in nodes if len(seen[node]) <= 1}
