"""Asset `identity_audit`: what the stitched ids look like as a whole, and what in them is suspicious."""

from dataclasses import replace
from typing import Any

import dagster as dg

from profiles_assets import pictures
from profiles_assets.identity.assets import STITCHED
from profiles_assets.identity.audit import Audit
from profiles_assets.identity.audit_checks import largest_is_plausible, no_conflicting_ids
from profiles_assets.identity.audit_page import compact_picture, markdown_table
from profiles_assets.identity.audit_store import COLUMNS, AuditChange, update_audit
from profiles_assets.identity.audit_words import parts
from profiles_assets.identity.explain_read import masked_id
from profiles_assets.project.project import Project
from profiles_assets.shell import FRESHNESS, automation, checks, outcome, owners, schema
from resources.lake import Lake

AUDIT = dg.AssetKey(["identity_audit"])
CHECKS = {
    "largest_profile_is_plausible": "No profile of 100 ids or more has over 1 % of all ids, or twice the ids "
    "that the largest had at the last audit.",
    "no_conflicting_ids": "No profile has several ids of which a person has one, unless people linked them.",
}
MEANING = {
    "entity": "Entity that was audited.",
    "seq": "Number of the audit.",
    "version": "Hash of what was stitched.",
    "as_of": "Day as of which it was stitched.",
    "logged": "Last change in the identity log by then.",
    "ids": "Ids seen.",
    "stitched": "Ids that belong to a profile.",
    "components": "Components before limits.",
    "blocked": "Values that identify nobody.",
    "quarantined": "Ids that the guards or a rule left out.",
    "yielded": "Links that yielded to a limit or a rule.",
    "profiles": "Profiles.",
    "singletons": "Profiles of a single id.",
    "largest": "Ids of the largest profile.",
    "conflicting": "Profiles with several ids of which a person has one.",
}


def build_audit_assets(project: Project) -> list[dg.AssetsDefinition]:
    """The audit of all entities."""

    @dg.asset(
        key=AUDIT,
        deps=[STITCHED],
        group_name="identity",
        kinds={"duckdb", "sql"},
        owners=owners(project.owner),
        automation_condition=automation(),
        freshness_policy=FRESHNESS,
        check_specs=checks(AUDIT, CHECKS, warn_only=list(CHECKS)),
        metadata=schema({name: (type_, MEANING[name]) for name, type_ in COLUMNS.items()}),
        description="Sizes of profiles, top hubs, what each guard left out, suspicious profiles, and what changed "
        "since the last audit.\n\n"
        + pictures.markdown(pictures.made_from(["stitched_ids", "id_edges"], "identity_audit"), "made from"),
    )
    def identity_audit(lake: Lake) -> dg.MaterializeResult:  # type: ignore[type-arg]
        found = {entity: update_audit(lake, project, entity, masked_id) for entity in project.entities}
        metadata = {k: v for entity, both in found.items() for k, v in _metadata(entity, *both).items()}
        sizes = [largest_is_plausible(audit, change) for audit, change in found.values()]
        conflicts = [no_conflicting_ids(audit) for audit, _ in found.values()]
        results = [
            outcome(name, _all(found, told), warn=True) for name, told in zip(CHECKS, (sizes, conflicts), strict=True)
        ]
        return dg.MaterializeResult(metadata=metadata, check_results=results)

    return [identity_audit]


def _metadata(entity: str, audit: Audit, change: AuditChange | None) -> dict[str, Any]:
    unsaid = [replace(rule, who="", why="") for rule in audit.rules]  # people may have written values into them
    tables = parts(replace(audit, rules=unsaid), change)[1:]
    told = "\n\n".join(f"**{part.title}**\n\n{markdown_table(part)}" for part in tables)
    drawn = dg.MetadataValue.md(pictures.markdown(compact_picture(audit), "profiles by number of ids"))
    numbers = {f"{entity}/{name}": value for name, value in audit.numbers.items()}
    return numbers | {f"{entity}/sizes": drawn, f"{entity}/report": dg.MetadataValue.md(told)}


def _all(found: Any, told: list[tuple[bool, dict[str, Any]]]) -> tuple[bool, dict[str, Any]]:
    named = zip(found, told, strict=True)
    return all(passed for passed, _ in told), {f"{e}/{k}": v for e, (_, more) in named for k, v in more.items()}
