"""The YAML of the docs is valid, and the docs name every key there is."""

import re
from pathlib import Path

import pytest

from profiles_assets.project.audiences import Audience
from profiles_assets.project.base import Spec
from profiles_assets.project.funnels import Funnel
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from profiles_assets.project.views import View

TOP = Path(__file__).parents[2]
DOC = (TOP / "docs" / "building-on-traits.md").read_text()
FILES = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", DOC, re.DOTALL))
PROJECT = "name: docs\nentities: {user: {ids: {user_id: {}, email: {}}}}\n"
EVENTS = "[product_viewed, product_added, order_completed, cart_abandoned, identify]"
SOURCES = f"sources: {{web: {{files: 'l/*.jsonl', time: t, event: e, events: {EVENTS}, ids: {{email: m}}}}}}\n"
TRAITS = """\
traits:
  orders_90d: {count: order_completed, within: 90 days}
  spend_90d: {sum: order_completed.total, within: 90 days}
  days_since_order: {days_since: order_completed}
"""
PREDICTIONS = "predictions: {churn_risk: {predict: no order_completed, over: 30 days}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    more = {
        "project.yml": PROJECT,
        "sources.yml": SOURCES,
        "traits/orders.yml": TRAITS,
        "predictions/p.yml": PREDICTIONS,
    }
    for name, text in {**FILES, **more}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return load_project(tmp_path)


def test_every_block_is_valid(project: Project) -> None:
    assert len(FILES) == len(re.findall("```yaml", DOC))
    assert {"basket_7d", "basket_30d", "revenue", "phone"} <= project.traits_of("user").keys()
    assert list(project.funnels) == ["checkout"]
    assert list(project.audiences) == ["regulars", "win_back"]
    assert list(project.views) == ["by_email"]


@pytest.mark.parametrize("spec", [Funnel, Audience, View])
def test_every_key_is_mentioned(spec: type[Spec]) -> None:
    for name, field in spec.model_fields.items():
        assert re.search(rf"\b{field.alias or name}\b", DOC), name
