"""What every fitted model is: a few positive numbers that go to JSON and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import ClassVar, Self

import numpy as np


@dataclass(frozen=True)
class Parameters:
    """Positive parameters, the log-likelihood they reached and the number of customers they come from."""

    names: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for name in self.names:
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{type(self).__name__}: {name} is {value}; it must be a number above 0")

    def to_dict(self) -> dict[str, float]:
        """Return the fields as numbers ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, float]) -> Self:
        """Return the model that `to_dict` described; ValueError on missing or unknown fields."""
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            raise ValueError(f"{cls.__name__} needs exactly {sorted(known)}, got {sorted(values)}")
        return cls(**values)
