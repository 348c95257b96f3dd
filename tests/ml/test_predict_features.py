import duckdb
import pytest

from ml.errors import PredictionError
from ml.features import among_sql, drop_many_valued, features_of
from profiles_assets.project.project import Project, Section
from profiles_assets.project.traits import Trait
from tests.ml.predicting import forecast

COLUMNS = {
    "profile_id": "VARCHAR", "visits": "BIGINT", "spend": "DOUBLE", "vip": "BOOLEAN", "page": "VARCHAR",
    "pages": "VARCHAR[]", "scores": "DOUBLE[]", "seen_at": "TIMESTAMP", "day": "DATE", "name": "VARCHAR",
}  # fmt: skip
USABLE = {"page": "VARCHAR", "spend": "DOUBLE", "vip": "DOUBLE", "visits": "DOUBLE"}


@pytest.fixture
def project(tmp_path: object) -> Project:
    traits = {name: Trait(count="visited", pii=name == "name") for name in COLUMNS if name != "profile_id"}
    traits["tier"] = Trait(bucket="risk", at=[0.5])
    sections = {"all": Section("all", "user", traits)}
    return Project(tmp_path, "tiny", {}, {}, sections, {"risk": forecast()})  # type: ignore[arg-type]


def test_features_are_numbers_booleans_and_text_but_nothing_personal(project: Project) -> None:
    assert features_of(project, forecast(), COLUMNS) == USABLE


def test_features_can_be_chosen(project: Project) -> None:
    chosen = forecast(features={"include": ["spend", "visits"], "exclude": ["visits"]})
    assert list(features_of(project, chosen, COLUMNS)) == ["spend"]
    assert "visits" not in features_of(project, forecast(features={"exclude": ["visits"]}), COLUMNS)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pages", r"a VARCHAR\[\]"),
        ("scores", r"a DOUBLE\[\]"),
        ("seen_at", "a TIMESTAMP"),
        ("nothing", "no such trait"),
        ("name", "personal"),
        ("tier", "made from a prediction"),
    ],
)
def test_a_feature_that_cannot_be_used_is_told(project: Project, name: str, reason: str) -> None:
    with pytest.raises(PredictionError, match=f"{name} cannot be a feature: .*{reason}"):
        features_of(project, forecast(features={"include": [name]}), COLUMNS)


def test_texts_with_many_values_are_no_features_unless_named() -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS SELECT i AS spend, i::VARCHAR AS page FROM range(51) r(i)")
        named = forecast(features={"include": ["page"]})
        assert drop_many_valued(con, named, "t", USABLE) == USABLE
        kept = drop_many_valued(con, forecast(), "t", {"page": "VARCHAR", "spend": "DOUBLE"})
        assert kept == {"spend": "DOUBLE"}
        assert con.sql("FROM t").columns == ["spend"]


def test_among_names_only_traits_that_are_known_before() -> None:
    with pytest.raises(PredictionError, match="among: risk is no trait"):
        among_sql(forecast(among={"risk": "> 0"}), COLUMNS)
