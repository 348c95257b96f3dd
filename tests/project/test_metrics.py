from pathlib import Path

import pytest

from profiles_assets.project.check_metrics import metric_problems
from profiles_assets.project.metrics import SECTION
from tests.project.drafts import draft_of

REVENUE = "metrics:\n  revenue: {sum: bought.total, within: 30 days, unit: EUR}\n"


def problems(root: Path, **files: str) -> list[str]:
    draft = draft_of(root, **files)
    return [str(problem) for problem in (*draft.problems, *metric_problems(draft))]


def test_metrics_are_traits_of_a_section_of_their_own(tmp_path: Path) -> None:
    traits = "traits: {place: {percentile: revenue}, tier: {bucket: revenue, at: [p50, p90], labels: [a, b, a]}}\n"
    draft = draft_of(tmp_path, metrics__money="owner: finance\n" + REVENUE, traits__more=traits)
    assert not draft.problems
    assert not list(metric_problems(draft))
    assert draft.project.sections[SECTION].traits["revenue"].owner == "finance"
    assert draft.project.metrics["revenue"].spec.within == 30
    assert [draft.project.traits_of("user")[name].place_in for name in ("place", "tier")] == ["revenue", "revenue"]


@pytest.mark.parametrize(
    ("metric", "problem"),
    [
        (
            "distributions: {count: bought}",
            '"distributions" is the table with the distributions of all metrics; choose another name',
        ),
        (
            "top: {max: bought.city}",
            'max: a metric is a number, but "city" is text; look at types: of the source, or make it a trait',
        ),
        ("n: {count: bought, type: text}", "type: a metric is a number, so it cannot be text; leave it out"),
        (
            "n: {count: bought, variants: {within: [7 days, 30 days]}}",
            "variants: a metric is one number; variants go with the traits of a section; declare one metric for each",
        ),
        (
            "n: {latest: bought.total}",
            (
                'metric "n": a metric is a number over events, made with one of count, sum, average, min, max, '
                "unique_count, days_with, sql"
            ),
        ),
        (
            "n: {sql: max(city), from: bought, type: text}",
            'metric "n": a metric is a number, so its type is number, integer or float, not text',
        ),
    ],
)
def test_mistakes_in_metrics(tmp_path: Path, metric: str, problem: str) -> None:
    assert problems(tmp_path, metrics__a=f"metrics:\n  {metric}\n") == [f"metrics/a.yml:2: {problem}"]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (
            "at: [p0, p50], labels: [none, low, high]",
            'at: nobody is below the smallest value (p0), so the bucket "none" stays empty; leave out p0 and its label',
        ),
        (
            "at: [p50, p90], labels: [low, high, high]",
            (
                'labels: "high" names two buckets side by side, so they are one; give each its own name, or leave '
                "out the edge"
            ),
        ),
    ],
)
def test_mistakes_in_buckets_of_metrics(tmp_path: Path, keys: str, problem: str) -> None:
    traits = f"traits:\n  tier: {{bucket: revenue, {keys}}}\n"
    assert problems(tmp_path, metrics__a=REVENUE, traits__b=traits) == [f"traits/b.yml:2: {problem}"]
