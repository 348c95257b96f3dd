"""What is wrong in a project: problems with their place, all of them in one exception."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from functools import lru_cache

SHORTLIST = 8
CLOSE = 0.66
STAGES = (
    "project", "sources", "models", "traits", "functions", "funnels", "metrics", "predictions", "attribution",
    "audiences", "views",
    "rules",
)  # fmt: skip


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: where, what, and how to put it right."""

    file: str
    line: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}: {self.message}"
        return f"{text}; {self.hint}" if self.hint else text

    def to_json(self) -> dict[str, str | int]:
        """The problem as plain values."""
        return asdict(self)


class ProjectError(Exception):
    """A project that cannot be used; its text lists every problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems), key=_in_reading_order)
        super().__init__("\n".join(map(str, self.problems)))

    def to_json(self) -> list[dict[str, str | int]]:
        """All problems as plain values."""
        return [problem.to_json() for problem in self.problems]


def _in_reading_order(problem: Problem) -> tuple[int, Problem]:
    stage = problem.file.split("/")[0].split(".")[0]
    return STAGES.index(stage) if stage in STAGES else len(STAGES), problem


def _pairs(word: str) -> set[str]:
    padded = f" {word.lower()} "
    return {padded[i : i + 2] for i in range(len(padded) - 1)}


@lru_cache(maxsize=16)
def _index(candidates: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for candidate in candidates:
        for pair in _pairs(candidate):
            found.setdefault(pair, []).append(candidate)
    return found


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.lower(), other.lower(), autojunk=False).ratio()


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like the name, or None when none is close.

    Only the few candidates that share most letter pairs are compared, so thousands of names stay cheap.
    """
    index = _index(tuple(candidates))
    shared: Counter[str] = Counter()
    for pair in sorted(_pairs(name[:100])):
        shared.update(index.get(pair, ()))
    best = [candidate for candidate, _ in shared.most_common(SHORTLIST)]
    scored = max(((_likeness(name[:100], candidate), candidate) for candidate in best), default=(0.0, ""))
    return scored[1] if scored[0] >= CLOSE else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Hint with the candidate most like the name; empty when none is close."""
    found = closest(name, candidates)
    return f'did you mean "{found}"?' if found and found != name else ""


def any_of(names: Sequence[str], most: int = 12) -> str:
    """Names in words: `a, b or c`, cut short when there are many."""
    if len(names) > most:
        return f"{', '.join(names[:most])} … ({len(names)} in all)"
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
