"""What a load did, in numbers that add up: records = loaded + rejected + suppressed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class LoadReport:
    """Result of loading one source; loaded rows include the duplicates, and the anonymised ones of erased people.

    Records are those that come out of the transformations of the source; `transformed` counts what these did.
    """

    source: str
    files: int = 0
    records: int = 0
    loaded: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    suppressed: int = 0
    anonymised: int = 0
    unattributable: int = 0
    days: tuple[date, ...] = ()
    uncast: Mapping[str, int] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    transformed: Mapping[str, int] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """True when any day has other content than before."""
        return bool(self.days)
