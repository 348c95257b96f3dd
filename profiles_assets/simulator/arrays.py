"""Columns of numbers, tables of them, and random streams that don't disturb each other."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Column = npt.NDArray[Any]

NONE = -1
DAY_MS = 86_400_000


def stream(seed: int, topic: str) -> np.random.Generator:
    """A random stream of its own for each topic, so that a new topic shifts no other."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(topic.encode()),)))


@dataclass(frozen=True)
class Rows:
    """A table: columns of equal length by name."""

    columns: dict[str, Column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def take(self, index: Column) -> Rows:
        """The rows at these positions, or where a mask is true."""
        return Rows({name: column[index] for name, column in self.columns.items()})

    def set(self, **columns: Column) -> Rows:
        """The same table with some columns replaced or added."""
        return Rows({**self.columns, **columns})

    def full(self, value: int) -> Ints:
        """A column of one value, as long as the table."""
        return np.full(len(self), value, dtype=np.int64)


def concat(parts: Sequence[Rows]) -> Rows:
    """Tables with the same columns, one below the other."""
    return Rows({name: np.concatenate([part[name] for part in parts]) for name in parts[0].columns})


def choose(mask: Bools, yes: Column | int, no: Column | int) -> Ints:
    """One of two codes per row."""
    return np.where(mask, yes, no).astype(np.int64)


def positions(counts: Ints) -> Ints:
    """0, 1, … within each group of so many rows."""
    return np.arange(counts.sum(), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)


def first_of_each(key: Ints, time: Floats) -> Ints:
    """Positions of the earliest row of each key."""
    order = np.lexsort((time, key))
    fresh = np.concatenate(([True], key[order][1:] != key[order][:-1])) if len(key) else np.zeros(0, bool)
    return order[fresh].astype(np.int64)
