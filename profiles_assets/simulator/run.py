"""Running the simulation: a whole landing folder at once, or one more day."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from profiles_assets.simulator.landing import clear_landing, write_days
from profiles_assets.simulator.members import clear_members, write_members
from profiles_assets.simulator.settings import Settings
from profiles_assets.simulator.truth import write_truth
from profiles_assets.simulator.world import Progress, make_world


@dataclass(frozen=True)
class Summary:
    """What was written: the days of this call, and the totals per source of everything so far."""

    first_day: date
    last_day: date
    totals: dict[str, dict[str, int]]

    @property
    def lines(self) -> int:
        """Lines of all sources so far, broken ones and resent ones included."""
        return sum(counts["lines"] for counts in self.totals.values())


def _write(settings: Settings, out: Path, first: int, last: int, progress: Progress | None) -> Summary:
    world = make_world(settings)
    write_days(out, world, first, last, progress)
    write_members(out, world, first, last)
    totals = write_truth(out, world, last)
    return Summary(world.day(first), world.day(last), totals)


def simulate(settings: Settings, out: Path, progress: Progress | None = None) -> Summary:
    """Write `landing/` and `truth/` below a folder, for all days of the settings.

    Files of an earlier simulation there are replaced. `progress` is called with the name of a source, the
    days done and the days to do.
    """
    clear_landing(out)
    clear_members(out)
    return _write(settings, out, 0, settings.days - 1, progress)


def simulate_day(settings: Settings, out: Path, day_index: int, progress: Progress | None = None) -> Summary:
    """Add the day with this number (`settings.days` is the first one after `simulate`) to a landing folder.

    Earlier files stay as they are; the truth is brought up to this day. Days are added one after the other,
    and the last one again changes nothing. At most `settings.spare_days` of them belong to the world.
    """
    written = _last_written(settings, out)
    if day_index not in (written, written + 1) or day_index >= settings.horizon:
        wanted = settings.start + timedelta(days=day_index)
        last = settings.start + timedelta(days=written)
        raise ValueError(
            f"can't add {wanted}: the last day written is {last}, and "
            f"{settings.start + timedelta(days=settings.horizon - 1)} is the last there is"
        )
    return _write(settings, out, day_index, day_index, progress)


def _last_written(settings: Settings, out: Path) -> int:
    """The number of the last day in a landing folder."""
    counts = json.loads((out / "truth" / "counts.json").read_text(encoding="utf-8"))
    return (date.fromisoformat(counts["last_day"]) - settings.start).days
