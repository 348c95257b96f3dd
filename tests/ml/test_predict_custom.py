"""Models that a project brings along, good and bad ones."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from ml.backtest import backtest, champion
from ml.custom import Custom
from ml.definition import model_definition
from ml.errors import PredictionError
from ml.reasons import explained
from profiles_assets.project.model_files import model_fault
from profiles_assets.project.project import Forecast, Project
from tests.ml.predicting import calendar, forecast, training_set

FILE = "models/own.py"
RATE = """
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier

    class Model:
        def fit(self, X, y):
            self.forest = RandomForestClassifier(5, max_features=1).fit(X[["known_rate", "noise"]], y)
            return self

        def predict_proba(self, X):
            return self.forest.predict_proba(X[["known_rate", "noise"]])
"""


def own(folder: Path, code: str, predict: str = "no order_completed", **keys: Any) -> Forecast:
    (folder / "models").mkdir(exist_ok=True)
    (folder / FILE).write_text(dedent(code))
    asked = forecast(predict, model=FILE, **keys)
    return Forecast(asked.name, asked.entity, asked.spec.with_code(folder))


def predicted(asked: Forecast) -> np.ndarray:
    data = training_set(asked, calendar(), 100)
    return Custom(asked).fit(data.rows, data.histories).predict(data.rows)


def test_it_is_tested_beside_the_built_in_models_and_makes_the_scores(tmp_path: Path) -> None:
    asked = own(tmp_path, RATE)
    results = backtest(asked, calendar(), training_set(asked, calendar(), 200))
    assert {result.model for result in results} == {FILE, "btyd", "boosted", "blend", "mean"}
    assert champion(asked, results) == FILE


def test_a_model_without_a_random_state_learns_the_same_each_time(tmp_path: Path) -> None:
    asked = own(tmp_path, RATE)
    first = predicted(asked)
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    assert (predicted(asked) == first).all()
    assert (np.random.get_state()[1] == before).all(), "chance elsewhere is left as it was"


def test_another_file_is_another_model(tmp_path: Path) -> None:
    project = Project(tmp_path, "tiny", {}, {})
    one, other = (model_definition(project, own(tmp_path, code)) for code in (RATE, RATE + "\n# more"))
    assert one != other


def test_amounts_below_nothing_count_as_nothing(tmp_path: Path) -> None:
    code = "class Model:\n    def fit(self, X, y): return self\n    def predict(self, X): return X.noise"
    found = predicted(own(tmp_path, code, "count order_completed"))
    assert found.min() == 0 < found.max()


CLASS = "class Model:\n    def fit(self, X, y): return self\n    def predict_proba(self, X): return {}"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (CLASS.format("X.noise * 0 + 2"), "predict_proba returned numbers outside 0 to 1"),
        (CLASS.format("X.noise[:3] * 0"), r"returned shape \(3,\); it should be \(300, 2\)"),
        (CLASS.format("X.noise / 0 * 0"), "returned 300 missing or infinite numbers"),
        (CLASS.format("['a'] * len(X)"), "did not return numbers"),
        (CLASS.format("X.nothing"), "models/own.py:3: AttributeError"),
        ("def Model():\n    return 3", r"Model\(\) gives a int without fit"),
        ("import nowhere\nModel = 3", "models/own.py:1: ModuleNotFoundError"),
    ],
)
def test_what_goes_wrong_is_told_in_words(tmp_path: Path, code: str, words: str) -> None:
    with pytest.raises(PredictionError, match=words):
        predicted(own(tmp_path, code))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("class Modell:\n    pass", ('"models/own.py" has no class "Model"', 'did you mean "Modell"?')),
        ("class Model:\n    def fit(self, X, y): ...", ('has no method "predict_proba"', "it needs fit(X, y)")),
        ("class Model(:", ("is not Python", "")),
        (dedent(RATE), None),
        ("Model = make", None),
        ("class Model(Base):\n    pass", None),
    ],
)
def test_a_file_is_looked_at_before_it_runs(tmp_path: Path, code: str, words: tuple[str, str] | None) -> None:
    own(tmp_path, code)
    fault = model_fault(tmp_path, FILE, is_probability=True)
    assert (fault is None) == (words is None)
    if fault and words:
        assert words[0] in fault[0]
        assert words[1] in fault[1]


def test_a_missing_file_has_a_likely_neighbour(tmp_path: Path) -> None:
    own(tmp_path, RATE)
    assert model_fault(tmp_path, "models/owm.py", True) == (
        'there is no file "models/owm.py" in the project',
        'did you mean "models/own.py"?',
    )


@pytest.mark.parametrize("model", ["boostd", "models/own.sql", "../own.py", "models/a/b.py"])
def test_other_words_are_no_model(model: str) -> None:
    with pytest.raises(ValueError, match=r"is no model; write auto, btyd, boosted or blend, or a file"):
        forecast(model=model)


def test_its_own_explanation_is_taken(tmp_path: Path) -> None:
    code = (
        dedent(RATE)
        + "\n    def explain(self, X):\n        return {'known_rate': X.known_rate - 1, 'noise': 0 * X.noise}\n"
    )
    asked = own(tmp_path, code)
    rows = training_set(asked, calendar(), 100).rows
    model = Custom(asked).fit(rows, rows.frame)
    found = explained(model, rows, model.predict(rows), "order_completed")
    assert found.names == [["known_rate"]] * len(rows)
    assert [change[0] for change in found.changes] == pytest.approx(list(rows.column("known_rate") - 1))
