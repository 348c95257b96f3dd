"""What is pending for an entity: the evidence not applied yet, and the day to read it at."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from profiles_assets.identity import evidence, guard_changes
from profiles_assets.identity.rules import stage_rulings
from profiles_assets.project.project import Project
from resources import progress

Con = duckdb.DuckDBPyConnection
NOTES = ("as_of", "rules", "manual", "declared")


@dataclass(frozen=True)
class Plan:
    """Partitions to apply and to drop, the day to read at and the one read at before; `full` resolves everything.

    Of the partitions to apply `fresh` are those that never were; of the others the evidence knows what changed.
    `ruled` tells that other manual rules are in force than were applied; `other_guards` is what was declared then,
    where only guards differ.
    """

    entity: str
    as_of: date
    before: date | None
    rules: str
    manual: str
    declared: str
    other_guards: str | None
    full: bool
    versions: dict[str, str]
    removed: list[str]
    fresh: list[str]
    ruled: bool

    @property
    def idle(self) -> bool:
        """True when nothing is pending."""
        other_rules = self.full or self.ruled or self.other_guards
        return not (other_rules or self.versions or self.removed or self.as_of != self.before)


def step_name(entity: str) -> str:
    """Step under which the progress of an entity's stitching is noted."""
    return f"stitched_ids/{entity}"


def make_plan(con: Con, project: Project, entity: str, as_of: date | None, rebuild: bool) -> Plan | None:
    """What is pending for an entity; None where there has never been anything to stitch.

    Raises ValueError for an as_of older than what is stored.
    """
    upstream = progress.applied(con, evidence.STEP)
    done = progress.applied(con, step_name(entity))
    stored, rules_before, manual_before, told_before = (done.pop(note, None) for note in NOTES)
    before = date.fromisoformat(stored) if stored else None
    newest = newest_day(upstream) or before
    if newest is None:
        return None
    if as_of and before and as_of < min(before, newest):
        raise ValueError(f"ids are stitched as of {before}; an older day such as {as_of} can only be read")
    rules = rules_hash(project, entity)
    versions, removed = progress.pending(upstream, done)
    fresh = [name for name in versions if name not in done]
    manual = stage_rulings(con, project, entity)
    told = guard_changes.declared(project, entity)
    other = told_before if rules != rules_before and told_before else None
    narrow = other is not None and guard_changes.only_guards_differ(other, told)
    return Plan(
        entity,
        as_of or newest,
        before,
        rules,
        manual,
        told,
        other_guards=other if narrow else None,
        full=rebuild or (rules != rules_before and not narrow),
        versions=versions,
        removed=removed,
        fresh=fresh,
        ruled=manual != manual_before,
    )


def newest_day(partitions: Mapping[str, str]) -> date | None:
    """Newest load day among partitions named `source/day`."""
    return max((date.fromisoformat(name.rpartition("/")[2]) for name in partitions), default=None)


def rules_hash(project: Project, entity: str) -> str:
    """Hash of what is declared about an entity's ids, and of the sources they come from."""
    spec = project.entities[entity]
    origins = {name: sorted(spec.ids.keys() & source.ids.keys()) for name, source in sorted(project.sources.items())}
    text = f"{spec.model_dump_json(include={'ids', 'guards'})}|{origins}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
