"""The command `card` on the built shop."""

import json
from pathlib import Path

from tests.cli.in_process import answers, profiles


def test_a_card_in_text_and_json(shop: Path) -> None:
    told = json.loads(profiles(shop, "card", "churn_risk", "--json"))
    page = profiles(shop, "card", "churn_risk")
    assert told["prediction"] == "churn_risk"
    assert told["training"]
    assert page.startswith("# churn_risk\n")
    assert f"`{told['model_id']}`" in page
    assert json.loads(profiles(shop, "card", "churn_risk", "--model", told["model_id"], "--json")) == told


def test_a_card_that_is_not_there(shop: Path) -> None:
    code, said = answers(shop, "card", "churn_risks")
    assert (code, 'did you mean "churn_risk"' in said) == (1, True)
    code, said = answers(shop, "card", "churn_risk", "--model", "unknown")
    assert (code, "no card of the model" in said) == (1, True)
    code, said = answers(shop, "card", "ltv_90d")
    assert (code, "at least 270 days of events" in said) == (1, True)
