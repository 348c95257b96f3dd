"""Checks on an audit: signs that ids of several people are in one profile. Each returns (passed, metadata)."""

from typing import Any

from profiles_assets.identity.audit import Audit
from profiles_assets.identity.audit_store import AuditChange

LARGE = 100
LARGEST_SHARE = 0.01
LARGEST_GROWTH = 2.0


def largest_is_plausible(audit: Audit, change: AuditChange | None) -> tuple[bool, dict[str, Any]]:
    """Whether the largest profile has under 100 ids, or at most 1 % of all and has not doubled since the last audit."""
    largest, stitched = audit.numbers["largest"], audit.numbers["stitched"]
    before = change.numbers["largest"] if change else 0
    too_large = largest > LARGEST_SHARE * stitched
    too_fast = bool(before) and largest > LARGEST_GROWTH * before
    return largest < LARGE or not (too_large or too_fast), {"ids": largest, "before": before, "of": stitched}


def no_conflicting_ids(audit: Audit) -> tuple[bool, dict[str, Any]]:
    """Whether no profile has several ids of which a person has one, those that people linked aside."""
    found = [conflict for conflict in audit.conflicts.ids if not conflict.by_rule]
    return not found, {"profiles": len(found), "linked_by_rule": len(audit.conflicts.ids) - len(found)}
