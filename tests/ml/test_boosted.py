import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor

from ml.boosted import BoostedClassifier, BoostedRegressor, Features
from ml.metrics import auc, bias, log_loss, normalised_gini, rmse


def shop(n, seed):
    """Traits, spend and the expected spend it was drawn around: mostly 0, heavy-tailed if not."""
    rng = np.random.default_rng(seed)
    traits = pd.DataFrame(
        {
            "orders": rng.poisson(2, n),
            "days_since": np.where(rng.random(n) < 0.1, np.nan, rng.exponential(30, n)),
            "subscribed": rng.random(n) < 0.3,
            "consent": pd.Series(rng.choice(np.array([True, False, None]), n), dtype=object),
            "channel": rng.choice(["ads", "mail", "shop", None], n),
            "noise": rng.normal(size=n),
            "empty": np.full(n, np.nan),
            "same": np.ones(n),
        }
    )
    odds = 0.4 * traits["orders"] - 0.02 * traits["days_since"].fillna(60) + 0.6 * traits["subscribed"] - 1
    chance = 1 / (1 + np.exp(-odds.to_numpy(float)))
    size = np.exp(3 + 0.8 * (traits["channel"] == "shop") + 0.15 * traits["orders"]).to_numpy(float)
    spend = (rng.random(n) < chance) * size * rng.lognormal(-0.5, 1, n)
    return traits, spend, chance * size, chance


@pytest.fixture(scope="module")
def train():
    return shop(4_000, 1)


@pytest.fixture(scope="module")
def later():
    return shop(8_000, 2)


def test_classifier_comes_close_to_the_true_probabilities(train, later):
    model = BoostedClassifier().fit(train[0], train[1] > 0)
    found = model.predict_proba(later[0])
    bought = later[1] > 0
    assert found.sum(axis=1) == pytest.approx(1)
    assert log_loss(bought, found[:, 1]) < log_loss(bought, later[3]) + 0.015
    assert auc(bought, found[:, 1]) > auc(bought, later[3]) - 0.02
    assert (model.predict(later[0]) == (found[:, 1] >= 0.5)).all()


def test_hurdle_beats_the_usual_losses_on_heavy_tailed_money(train, later):
    found = BoostedRegressor().fit(train[0], train[1]).predict(later[0])
    features = Features.of(train[0].drop(columns="empty"))
    rows, new = features.matrix(train[0]), features.matrix(later[0])
    for loss in ("squared_error", "poisson"):
        settings = {**BoostedRegressor().get_params(), "loss": loss, "early_stopping": False}
        usual = HistGradientBoostingRegressor(**settings, categorical_features=features.categorical)
        expected = usual.fit(rows, train[1]).predict(new)
        assert rmse(later[2], found) < rmse(later[2], expected)
        assert normalised_gini(later[1], found) > normalised_gini(later[1], expected)
    assert abs(bias(later[2], found)) < 0.08
    assert (found >= 0).all()


@pytest.mark.parametrize("estimator", [BoostedClassifier(), BoostedRegressor()])
def test_the_same_rows_give_the_same_predictions(estimator, train):
    target = (train[1] > 0).astype(float)
    one, two = (clone(estimator).fit(train[0], target).predict(train[0]) for _ in range(2))
    assert (one == two).all()


def test_columns_are_found_by_name_and_extra_ones_ignored(train):
    traits, spend, *_ = train
    model = BoostedRegressor().fit(traits, spend)
    turned = traits[traits.columns[::-1]].assign(extra="x")
    assert (model.predict(turned) == model.predict(traits)).all()
    with pytest.raises(ValueError, match="missing: orders, channel"):
        model.predict(traits.drop(columns=["channel", "orders"]))


def test_unseen_texts_and_infinities_count_as_missing(train):
    traits, spend, *_ = train
    model = BoostedClassifier().fit(traits, spend > 0)
    odd, plain = traits.assign(channel="radio", noise=np.inf), traits.assign(channel=None, noise=np.nan)
    assert (model.predict_proba(odd) == model.predict_proba(plain)).all()


def test_a_column_keeps_its_kind_whatever_arrives_later(train):
    traits, spend, *_ = train
    model = BoostedClassifier().fit(traits, spend > 0)
    text = traits.assign(orders=traits["orders"].astype(str), consent=None, channel=np.nan, empty="x")
    plain = traits.assign(consent=None, channel=None)
    assert (model.predict_proba(text) == model.predict_proba(plain)).all()


def test_the_most_common_texts_are_remembered():
    names = [f"c{index:03}" for index in range(300)]
    column = names + names[100:] * 2
    known = Features.of(pd.DataFrame({"city": column})).columns["city"]
    assert known == tuple(sorted(names[100:] + names[:55]))


@pytest.mark.parametrize("values", [[True, None, False], [1, None, 2.5], [None, None, None]])
def test_numbers_among_objects_are_numbers(values):
    features = Features.of(pd.DataFrame({"x": pd.Series(values, dtype=object)}))
    assert features.columns == {"x": None}
    found = features.matrix(pd.DataFrame({"x": values}))[:, 0]
    assert found == pytest.approx([np.nan if value is None else float(value) for value in values], nan_ok=True)


@pytest.mark.parametrize("dtype", ["category", "string", "str", "object"])
def test_every_dtype_of_text_is_text(dtype):
    frame = pd.DataFrame({"x": pd.Series(["b", "a", None], dtype=dtype)})
    features = Features.of(frame)
    assert features.matrix(frame)[:, 0] == pytest.approx([1, 0, np.nan], nan_ok=True)


@pytest.mark.parametrize("dtype", ["boolean", "Int64", "Float64"])
def test_nullable_numbers_are_numbers(dtype):
    frame = pd.DataFrame({"x": pd.Series([1, 0, None], dtype=dtype)})
    assert Features.of(frame).matrix(frame)[:, 0] == pytest.approx([1, 0, np.nan], nan_ok=True)


def test_one_outcome_is_predicted_for_everybody(train):
    model = BoostedClassifier().fit(train[0], np.ones(len(train[0])))
    assert model.predict_proba(train[0][:3]).tolist() == [[0, 1]] * 3
    nothing = BoostedRegressor().fit(train[0], np.zeros(len(train[0])))
    assert nothing.predict(train[0][:3]).tolist() == [0, 0, 0]


def test_few_rows_or_constant_traits_give_the_mean(train):
    traits, spend, *_ = train
    assert BoostedRegressor().fit(traits[:20], spend[:20]).predict(traits) == pytest.approx(spend[:20].mean())
    flat = BoostedRegressor().fit(traits[["same", "empty"]], spend).predict(traits)
    assert flat == pytest.approx(spend.mean())


def test_refunds_count_as_nothing_bought(train):
    traits, spend, *_ = train
    refunded = np.where(spend == 0, -5.0, spend)
    fitted = [BoostedRegressor().fit(traits, target).predict(traits) for target in (spend, refunded)]
    assert (fitted[0] == fitted[1]).all()


def test_nobody_to_score(train):
    traits, spend, *_ = train
    assert BoostedRegressor().fit(traits, spend).predict(traits[:0]).shape == (0,)
    assert BoostedClassifier().fit(traits, spend > 0).predict_proba(traits[:0]).shape == (0, 2)


@pytest.mark.parametrize(
    ("frame", "target", "message"),
    [
        (pd.DataFrame({"x": [1, 2]}), [1, 2], "0 or 1"),
        (pd.DataFrame({"x": [1, 2]}), [1], "a target for each of 2 rows"),
        (pd.DataFrame({"x": [1, 2]}), [1, np.nan], "missing"),
        (pd.DataFrame({"x": []}), [], "a target for each of 0 rows"),
        (pd.DataFrame({"x": [[1], [2]]}), [1, 0], "column x holds list"),
        (pd.DataFrame({"x": [1, "a"]}), [1, 0], "column x holds number and text"),
        (pd.DataFrame({"x": pd.to_datetime(["2024-01-01"] * 2)}), [1, 0], "column x holds Timestamp"),
        (pd.DataFrame(index=[0, 1]), [1, 0], "at least one column"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(frame, target, message):
    with pytest.raises(ValueError, match=message):
        BoostedClassifier().fit(frame, target)


def test_settings_are_those_of_an_estimator():
    model = BoostedRegressor(max_iter=5).set_params(learning_rate=0.5)
    assert clone(model).get_params() == model.get_params()
    assert model.get_params()["max_iter"] == 5
    with pytest.raises(ValueError, match="unknown settings: trees"):
        model.set_params(trees=3)
