"""Bands of a prediction: by share (`top 10%`, `next 20%`, `rest`) or by score (`>= 0.7`, `rest`)."""

import re
from collections.abc import Iterable, Mapping

SHARE = re.compile(r"(top|next)\s+(\d+(?:\.\d+)?)\s*%", re.IGNORECASE)
THRESHOLD = re.compile(r"(>=?)\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)", re.IGNORECASE)
EXAMPLES = 'write shares ("top 10%", "next 20%", "rest") or thresholds (">= 0.7", "rest")'
ROUNDING = 1e-9


def band_problems(bands: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Name and fault of each band that cannot be read; only the last may be `rest`."""
    rules = {name: " ".join(rule.split()).lower() for name, rule in bands.items()}
    names = list(rules)
    cut = {name: rule for name, rule in rules.items() if rule != "rest"}
    if any(rules[name] == "rest" for name in names[:-1]):
        yield next(name for name in names if rules[name] == "rest"), '"rest" belongs to the last band only'
    elif cut and all(THRESHOLD.fullmatch(rule) for rule in cut.values()):
        yield from _thresholds(cut, rest=len(cut) < len(rules))
    elif rules:
        yield from _shares(cut, names[-1], rest=len(cut) < len(rules))


def _shares(cut: Mapping[str, str], last: str, rest: bool) -> Iterable[tuple[str, str]]:
    total = 0.0
    for index, (name, rule) in enumerate(cut.items()):
        match, word = SHARE.fullmatch(rule), "next" if index else "top"
        if match is None:
            yield name, f'"{rule}" is not a band; {EXAMPLES}'
            return
        if match[1] != word:
            yield name, f'"{rule}" should be "{word} {match[2]}%": the first band is top, the others next'
        if float(match[2]) == 0:
            yield name, f'"{rule}" holds nobody; the share must be above 0%'
        total += float(match[2])
    if total > 100 + ROUNDING or (rest and total > 100 - ROUNDING):
        yield last, f"the bands add up to {total:g}%, which leaves nobody for the last one"
    elif not rest and total < 100 - ROUNDING:
        yield last, f'the bands add up to {total:g}%; add a last band "rest"'


def _thresholds(cut: Mapping[str, str], rest: bool) -> Iterable[tuple[str, str]]:
    above: tuple[float, bool] | None = None
    for name, rule in cut.items():
        sign, number = THRESHOLD.fullmatch(rule).groups()  # type: ignore[union-attr]
        floor = (float(number), sign == ">")
        if above is not None and floor >= above:
            yield name, f'nobody can reach "{rule}"; thresholds must fall band by band'
        above = floor
    if not rest:
        yield list(cut)[-1], 'scores below the last threshold have no band; add a last band "rest"'
