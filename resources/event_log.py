"""Dagster's SQLite event log, except that a batch of events is one transaction per file.

A run over a year of load days writes thousands of events about partitions; one by one they take longer than
the work itself. Named in `dagster.yaml`; DAGSTER_EVENT_BATCH_SIZE makes Dagster send batches.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dagster import EventLogEntry
from dagster._core.events import ASSET_EVENTS
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData


class BatchedSqliteEventLogStorage(SqliteEventLogStorage):
    """Event log in SQLite files under `base_dir` that stores batches of asset events at once."""

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "BatchedSqliteEventLogStorage":
        """Make the storage from its block in `dagster.yaml`."""
        return cls(inst_data=inst_data, **config_value)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events of one run; those that are not about assets are stored one by one."""
        about_assets = [event for event in events if _is_about_asset(event)]
        if about_assets:
            self._store_asset_events(about_assets)
        for event in events:
            if not _is_about_asset(event):
                self.store_event(event)

    def _store_asset_events(self, events: Sequence[EventLogEntry]) -> None:
        inserts = [self.prepare_insert_event(event) for event in events]
        with self.run_connection(events[0].run_id) as run:
            for insert in inserts:
                run.execute(insert)
        with self.index_transaction() as index:
            numbers = [_key(index.execute(insert)) for insert in inserts]
            self._store_asset_event_tags(index, events, numbers)
            for event, number in _last_of_each(events, numbers):
                self._store_asset_event(index, event, number)


def _is_about_asset(event: EventLogEntry) -> bool:
    return event.is_dagster_event and event.dagster_event_type in ASSET_EVENTS


def _last_of_each(events: Sequence[EventLogEntry], numbers: Sequence[int]) -> Iterable[tuple[EventLogEntry, int]]:
    """The events that decide what is known of an asset: the last one of each kind."""
    last = {
        (event.get_dagster_event().asset_key, event.dagster_event_type): (event, number)
        for event, number in zip(events, numbers, strict=True)
    }
    return last.values()


def _key(inserted: Any) -> int:
    return int(inserted.inserted_primary_key[0])
