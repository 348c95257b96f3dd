"""Which events there are, as far as the sources tell, and what to say about one that is not there."""

from dataclasses import dataclass
from functools import cached_property

from profiles_assets.project.draft import Draft, mapping
from profiles_assets.project.problems import any_of, did_you_mean

Fault = tuple[str, str]


@dataclass
class Events:
    """Events of the sources in a draft; broken sources count with what they tell."""

    draft: Draft

    @cached_property
    def told(self) -> dict[str, list[str]]:
        """Sources by the event that they declare."""
        found: dict[str, list[str]] = {}
        for name in self.draft.sources:
            for event in self._of(name):
                found.setdefault(event, []).append(name)
        return found

    @cached_property
    def untold(self) -> list[str]:
        """Sources of which only the data tells the events."""
        return [name for name in self.draft.sources if not self._of(name)]

    def _of(self, name: str) -> list[str]:
        raw = mapping(self.draft.sources[name].data, "sources", name)
        events = raw.get("events")
        alone = name if raw.get("kind") == "records" and not raw.get("event") else None
        told = [raw.get("event_is") or alone, *(events if isinstance(events, list) else [])]
        return list(dict.fromkeys(map(str, filter(None, told))))

    def fault(self, event: str, entity: str = "") -> Fault | None:
        """Why an event cannot be read for an entity, or for nobody in particular, with a hint; None when it can."""
        if not event:
            return (
                "the name of the event is missing",
                "write it as the source has it, such as order_completed",
            )
        if event not in self.told and len(self.untold) != 1:
            return self._unclear(event)
        return self._no_id(event, self.told.get(event) or self.untold, entity)

    def _unclear(self, event: str) -> Fault | None:
        if not self.draft.sources:
            return None
        if self.untold:
            hint = "list it under events: of the source it comes from"
            return f'the event "{event}" may come from several sources: {any_of(self.untold)}', hint
        hint = did_you_mean(event, self.told) or f"there are {any_of(sorted(self.told))}"
        return f'no source has the event "{event}"', hint

    def _no_id(self, event: str, sources: list[str], entity: str) -> Fault | None:
        """A source without ids of any entity is a problem of its own and not repeated for each event."""
        valid = self.draft.project.sources
        used = {id_type for source in sources if source in valid for id_type in valid[source].ids}
        known = {id_type for ids in self.draft.ids.values() for id_type in ids}
        ids = self.draft.ids.get(entity)
        if ids is None or used.isdisjoint(known) or not used.isdisjoint(ids):
            return None
        message = f'the event "{event}" comes from {any_of(sources)}, which has no id of {entity}'
        return message, f"add one of {any_of(ids)} to the ids of the source"
