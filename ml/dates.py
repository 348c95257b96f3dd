"""The dates at which a model looks at people, and the windows in which it sees what they did next.

Dates are one horizon apart, so each label window closes on the day of the next date, and the last one on
as_of: no label ever lies after the day on which scores are made.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from ml.errors import PredictionError

MOST_CUTS = 4
FEWEST_CUTS = 2


@dataclass(frozen=True)
class Calendar:
    """Cut dates from the oldest to the newest, each followed by its label window (cut, cut + horizon]."""

    as_of: date
    horizon: int
    cuts: tuple[date, ...]

    @property
    def days(self) -> tuple[date, ...]:
        """All dates at which people are looked at: the cuts, then as_of."""
        return (*self.cuts, self.as_of)

    @property
    def tests(self) -> tuple[date, ...]:
        """Cuts for which a model can be trained on windows that had closed by then."""
        return tuple(cut for cut in self.cuts if self.closed_by(cut))

    def closes(self, cut: date) -> date:
        """Last day of the label window of a cut."""
        return cut + timedelta(days=self.horizon)

    def closed_by(self, day: date) -> tuple[date, ...]:
        """Cuts whose label windows had closed by a day."""
        return tuple(cut for cut in self.cuts if self.closes(cut) <= day)


def plan_dates(first_day: date, as_of: date, horizon: int) -> Calendar:
    """Place up to four cuts in the history, each with at least one horizon of data behind it.

    Raises PredictionError when there is no room for two: one to train on and one to test on.
    """
    days = (as_of - first_day).days + 1
    cuts = min(MOST_CUTS, days // horizon - 1)
    if cuts < FEWEST_CUTS:
        raise PredictionError(
            f"looking {horizon} days ahead takes at least {horizon * (FEWEST_CUTS + 1)} days of events, "
            f"and there are {max(days, 0)}, from {first_day} to {as_of}"
        )
    return Calendar(as_of, horizon, tuple(as_of - timedelta(days=horizon * back) for back in range(cuts, 0, -1)))
