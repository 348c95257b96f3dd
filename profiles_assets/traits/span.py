"""How events count when traits move from one moment to another: what comes counts +1, what goes counts -1."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from profiles_assets.project.traits import Trait

AFTER, BEFORE = "counts_after", "counts_before"


@dataclass(frozen=True)
class Whole:
    """All events of a scan count, as of a day (a SQL date)."""

    as_of: str

    def sign(self, _: Trait) -> str:
        """How often an event of a scan counts for a trait."""
        return "1"

    def rows(self, trait: Trait) -> list[str]:
        """Conditions that pick the events which count for a trait at all."""
        return [f"event_day > {self.as_of} - {trait.within}"] if trait.within else []


@dataclass(frozen=True)
class Step:
    """The events in a scan made by `signed` count in one of two states: as of one day before, another one after."""

    before: date
    after: date
    as_of: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "as_of", f"DATE '{self.after}'")

    def sign(self, trait: Trait) -> str:
        """+1 for an event that counts for a trait since, -1 for one that does no longer, 0 for both and neither."""
        if not trait.within:
            return f"({AFTER} - {BEFORE})"
        terms = ((AFTER, self.after), (BEFORE, self.before))
        inside = [f"{column} * (event_day > DATE '{day}' - {trait.within})::INT" for column, day in terms]
        return f"({' - '.join(inside)})"

    def rows(self, trait: Trait) -> list[str]:
        """Conditions that pick the events which count for a trait at all."""
        return [f"{self.sign(trait)} <> 0"]

    def days_of_change(self, windows: set[int]) -> list[tuple[date, date]]:
        """Days whose kept events begin or cease to count: (the day before the first, the last), none twice."""
        spans = [(self.before, self.after)]
        spans += [(self.before - timedelta(w), self.after - timedelta(w)) for w in windows]
        return _joined(spans) if self.before != self.after else []


def _joined(spans: list[tuple[date, date]]) -> list[tuple[date, date]]:
    found: list[tuple[date, date]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found
