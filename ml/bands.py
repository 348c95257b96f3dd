"""Turns scores into percentiles and named bands, declared by share ("top 10%") or by threshold (">= 0.7").

Equal scores always share a band. By share, they count as standing in the middle of the places they take up,
which is also their percentile: the band is that of the middle place. So if everybody has one score, everybody
is at 50 and falls into the band around the median; nobody gets into "top 10%" by the order of rows.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

SHARE = re.compile(r"(top|next)\s+(\d+(?:\.\d+)?)\s*%", re.IGNORECASE)
THRESHOLD = re.compile(r"(>=?)\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)", re.IGNORECASE)
EXAMPLES = """write shares ("top 10%", "next 20%", "rest") or thresholds (">= 0.7", ">= 0.3", "rest")"""
ROUNDING = 1e-9


def percentile_ranks(scores: ArrayLike) -> NDArray[np.float64]:
    """Return the percentage of people below each score, those with the same score counting half, shape (n,).

    A missing score has a missing rank and does not count.
    """
    values = np.asarray(scores, dtype=np.float64)
    known = ~np.isnan(values)
    ranks = np.full(values.shape, np.nan)
    if known.any():
        ranks[known] = (rankdata(values[known]) - 0.5) * 100 / known.sum()
    return ranks


@dataclass(frozen=True)
class Bands(ABC):
    """Names of bands from the highest scores down."""

    names: tuple[str, ...]

    def labels(self, scores: ArrayLike) -> NDArray[np.object_]:
        """Return the band of each score, shape (n,); None where the score is missing."""
        values = np.asarray(scores, dtype=np.float64)
        named = np.array([*self.names, None], dtype=object)
        place = np.where(np.isnan(values), len(self.names), self._places(values))
        return named[place]

    @abstractmethod
    def _places(self, values: NDArray[np.float64]) -> NDArray[np.intp]: ...


@dataclass(frozen=True)
class ShareBands(Bands):
    """Bands by share of people; `ends` are the cumulative percentages from the top, without the last band."""

    ends: tuple[float, ...]

    def _places(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        from_top = 100 - percentile_ranks(values)
        return np.searchsorted(np.asarray(self.ends) + ROUNDING, from_top)


@dataclass(frozen=True)
class ThresholdBands(Bands):
    """Bands by score; `floors` are the lowest score of each but the last, and if it belongs there."""

    floors: tuple[tuple[float, bool], ...]

    def _places(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        place = np.full(values.shape, len(self.floors), dtype=np.intp)
        for index, (floor, included) in reversed(list(enumerate(self.floors))):
            place[values >= floor if included else values > floor] = index
        return place


def parse_bands(spec: Mapping[str, str]) -> Bands:
    """Return the bands that a spec such as {"high": "top 10%", "low": "rest"} declares, highest first.

    Raises ValueError that says what would be right.
    """
    if not spec:
        raise ValueError(f"no bands are declared: {EXAMPLES}")
    names, rules = tuple(spec), [" ".join(str(rule).split()) for rule in spec.values()]
    rest = [name for name, rule in zip(names, rules, strict=True) if rule.lower() == "rest"]
    if rest not in ([], [names[-1]]):
        raise ValueError(f'"rest" belongs to one band, the last one, not to {", ".join(rest)}')
    pairs = list(zip(names, rules, strict=True))[: len(names) - len(rest)]
    if pairs and all(THRESHOLD.fullmatch(rule) for _, rule in pairs):
        return ThresholdBands(names, _floors(pairs, bool(rest)))
    return ShareBands(names, _ends(pairs, bool(rest)))


def _ends(pairs: Sequence[tuple[str, str]], rest: bool) -> tuple[float, ...]:
    ends: list[float] = []
    for name, rule in pairs:
        match = SHARE.fullmatch(rule)
        if match is None:
            raise ValueError(f'band {name}: cannot read "{rule}": {EXAMPLES}')
        word = "next" if ends else "top"
        if match[1].lower() != word:
            raise ValueError(f'band {name}: "{rule}" should be "{word} {match[2]}%": first top, then next')
        if float(match[2]) == 0:
            raise ValueError(f'band {name}: "{rule}" holds nobody; the share must be above 0%')
        ends.append((ends[-1] if ends else 0.0) + float(match[2]))
    total = ends[-1] if ends else 0.0
    if total > 100 + ROUNDING:
        raise ValueError(f"the bands add up to {total:g}%; they must stay within 100%")
    if rest and total > 100 - ROUNDING:
        raise ValueError('the bands before "rest" already add up to 100%: drop "rest" or lower a share')
    if not rest and total < 100 - ROUNDING:
        raise ValueError(f'the bands add up to {total:g}%; add a last band "rest"')
    return tuple(ends if rest else ends[:-1])


def _floors(pairs: Sequence[tuple[str, str]], rest: bool) -> tuple[tuple[float, bool], ...]:
    if not rest:
        raise ValueError('scores below the last threshold have no band; add a last band "rest"')
    floors: list[tuple[float, bool]] = []
    for name, rule in pairs:
        match = THRESHOLD.fullmatch(rule)
        assert match is not None
        floor = (float(match[2]), match[1] == ">=")
        if floors and not _lower(floor, floors[-1]):
            raise ValueError(f'band {name}: nobody can reach "{rule}"; thresholds must fall band by band')
        floors.append(floor)
    return tuple(floors)


def _lower(floor: tuple[float, bool], above: tuple[float, bool]) -> bool:
    return floor[0] < above[0] or (floor[0] == above[0] and floor[1] and not above[1])
