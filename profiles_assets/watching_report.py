"""What a watch did, as materialisations in the Dagster instance, without a run."""

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

import dagster as dg

from profiles_assets.events.report import LoadReport
from profiles_assets.shell import report_metadata
from profiles_assets.watching import Batch


def report_batch(instance: dg.DagsterInstance, batch: Batch) -> int:
    """Report what the steps of a batch materialised; returns the number of materialisations."""
    made = [one for name, report in batch.reports.items() for one in materialisations(name, report)]
    for one in made:
        instance.report_runless_asset_event(one)
    return len(made)


def materialisations(name: str, report: Any) -> Iterator[dg.AssetMaterialization]:
    """Materialisations of one step: of each day that a load changed, or of the whole asset."""
    key = dg.AssetKey(name.split("/"))
    if isinstance(report, LoadReport):
        for day in report.days:
            yield dg.AssetMaterialization(key, partition=day.isoformat(), metadata=_metadata(report))
    elif report is not None:
        yield dg.AssetMaterialization(key, metadata=_metadata(report))


def _metadata(report: Any) -> dict[str, Any]:
    told = report_metadata(report) if is_dataclass(report) else {}
    numbers = {name: value for name, value in told.items() if isinstance(value, int | float)}
    return numbers | {"by": "profiles watch"}
