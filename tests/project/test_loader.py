"""Loading whole projects: the shop, small ones made here, and mistakes that need a folder of their own."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from profiles_assets.project.graph import depends_on_prediction, ordered_traits, traits_after_predictions
from profiles_assets.project.loader import load_project
from profiles_assets.project.problems import ProjectError
from profiles_assets.project.traits import VERBS

SHOP = Path(__file__).parents[2] / "examples" / "shop"
PROJECT = "name: small\nentities: {user: {ids: {user_id: {}, email: {}}}, account: {ids: {account_id: {}}}}\n"
SOURCES = (
    "sources:\n  orders: {files: o/*.csv, time: at, event_is: bought, ids: {user_id: id}, types: {total: number}}\n"
)

Problems = Callable[..., list[str]]


@pytest.fixture
def problems(tmp_path: Path) -> Problems:
    """Problems of a small project with the given files on top."""

    def run(**files: str) -> list[str]:
        texts = {"project.yml": PROJECT, "sources.yml": SOURCES}
        texts |= {name.replace("__", "/") + ".yml": text for name, text in files.items()}
        for name, text in texts.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        try:
            load_project(tmp_path)
        except ProjectError as error:
            return str(error).splitlines()
        return []

    return run


def test_the_shop_loads() -> None:
    shop = load_project(SHOP)
    assert (shop.name, shop.timezone, shop.start) == ("shop", "UTC", date(2025, 1, 1))
    assert list(shop.entities["user"].ids) == ["user_id", "email", "device_id", "anonymous_id"]
    assert list(shop.sections) == ["commerce", "engagement", "support", "lifecycle", "metrics"]
    assert {trait.verb for trait in shop.traits_of("user").values()} == set(VERBS) - {"function"}
    assert all((shop.funnels, shop.metrics, shop.audiences, shop.views, shop.models, shop.packages))
    assert all(trait.title for trait in shop.traits_of("user").values())
    assert {name: forecast.owner for name, forecast in shop.predictions.items()} == {
        "churn_risk": "growth",
        "ltv_90d": "growth",
    }


def test_sections_without_owner_get_that_of_the_project() -> None:
    shop = load_project(SHOP)
    assert [section.owner for section in shop.sections.values()] == ["growth", "web", "service", "data", "growth"]


def test_traits_are_ordered_inputs_first() -> None:
    shop = load_project(SHOP)
    order = ordered_traits(shop, "user")
    assert sorted(order) == sorted(shop.facts_of("user"))
    for name, trait in shop.traits_of("user").items():
        assert all(order.index(i) < order.index(name) for i in trait.inputs if i in order)


def test_traits_over_predictions_are_known() -> None:
    shop = load_project(SHOP)
    late = [name for name in shop.traits_of("user") if depends_on_prediction(shop, "user", name)]
    assert late == ["churn_tier"]
    assert traits_after_predictions(shop, "user") == ["churn_tier", "win_back"]
    assert not depends_on_prediction(shop, "user", "nowhere")


def test_traits_depend_on_predictions_through_other_traits(tmp_path: Path, problems: Problems) -> None:
    traits = """\
traits:
  last: {bucket: share, at: [1]}
  share: {ratio: [loss_percentile, orders]}
  orders: {count: bought}
"""
    assert problems(traits__a=traits, predictions__p="predictions: {loss: {predict: no bought, over: 30 days}}\n") == []
    assert traits_after_predictions(load_project(tmp_path), "user") == ["share", "last"]


def test_sources_may_be_spread_over_files(tmp_path: Path, problems: Problems) -> None:
    more = "sources: {web: {files: w/*.jsonl.gz, time: at, event: name, ids: {email: mail}}}\n"
    assert problems(sources__web=more) == []
    assert list(load_project(tmp_path).sources) == ["orders", "web"]


def test_a_source_declared_twice(problems: Problems) -> None:
    assert problems(sources__again=SOURCES) == [
        'sources/again.yml:2: source "orders" is declared already, in sources.yml:2'
    ]


def test_the_same_trait_name_is_fine_for_another_entity(problems: Problems) -> None:
    more = "sources: {deals: {files: d/*.csv, time: at, event_is: deal, ids: {account_id: id}}}\n"
    traits = "entity: account\ntraits: {n: {count: deal}}\n"
    assert problems(sources__deals=more, traits__a="traits: {n: {count: bought}}\n", traits__b=traits) == []


def test_an_event_without_an_id_of_the_entity(problems: Problems) -> None:
    assert problems(traits__a="entity: account\ntraits:\n  n: {count: bought}\n") == [
        (
            'traits/a.yml:3: the event "bought" comes from orders, which has no id of account; add one of account_id '
            "to the ids of the source"
        )
    ]


def test_an_event_that_may_come_from_several_sources(problems: Problems) -> None:
    more = "sources:\n" + "".join(
        f"  {name}: {{files: {name}/*.csv, time: at, event: e, ids: {{user_id: u}}}}\n" for name in ("web", "app")
    )
    assert problems(sources__more=more, traits__a="traits: {n: {count: bought}, m: {count: seen}}\n") == [
        (
            'traits/a.yml:1: the event "seen" may come from several sources: web or app; '
            "list it under events: of the source it comes from"
        )
    ]


def test_a_trait_of_another_entity(problems: Problems) -> None:
    traits = "entity: account\ntraits:\n  m: {bucket: n, at: [1]}\n"
    assert problems(traits__a="traits: {n: {count: bought}}\n", traits__b=traits) == [
        'traits/b.yml:3: bucket: "n" is neither a trait nor a prediction of account; it is a trait of user'
    ]


def test_a_trait_in_a_circle_with_itself(problems: Problems) -> None:
    assert problems(traits__a="traits:\n  n: {ratio: [n, n]}\n") == [
        "traits/a.yml:2: traits are made from each other in a circle: n → n; break it at one of them"
    ]


def test_circles_across_files(problems: Problems) -> None:
    found = problems(
        traits__a="traits:\n  x: {ratio: [y, y]}\n  p: {ratio: [q, x]}\n",
        traits__b="traits:\n  y: {ratio: [x, x]}\n  q: {ratio: [q, p]}\n",
    )
    assert [line.split(": ", 2)[2].split(";")[0] for line in found] == ["x → y → x", "p → q → p", "q → q"]


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("traits__Sales", "traits: {n: {count: bought}}", 'the file name "Sales" becomes the name of a section'),
        ("traits__sub", "- n", "the file must start with a key such as name:"),
        ("traits__a", "traits: {}", "traits is {}, a mapping; it should be at least 1 value"),
        ("traits__a", "owner: me", 'the file needs the key "traits", such as traits: {orders: {count: order_comp'),
        ("traits__a", "traits: {n: {first: bought.}}", 'first needs an event and a property, not "bought."'),
        ("traits__a", 'traits: {n: {count: ""}}', "the name of the event is missing"),
        ("traits__a", "traits: {n: {count: bought, at: [1]}}", "at goes with bucket"),
        ("traits__a", "traits: {n: {count: bought, labels: [a]}}", "labels go with bucket"),
        ("traits__a", "traits: {n: {bucket: m, at: [.nan]}, m: {count: bought}}", "at.0 of trait"),
        ("traits__a", "traits: {n: {count: bought, where: [total]}}", "where of trait"),
        ("predictions__a", "predictions: {select: {predict: bought, over: 2 w}}", "is a word of SQL"),
        ("predictions__a", "predictions: {p: {predict: bought, over: 2 w, bands: {A b: rest}}}", "name of a band"),
        ("predictions__a", "predictions: {p: {predict: bought, over: 2 w, among: {any: 1}}}", "among: any takes a"),
        ("predictions__a", "predictions: {p: {predict: sum bought.x, over: 2 w, features: {exclude: [q]}}}", '"q" is'),
        ("predictions__a", "predictions: {p: {predict: sum sold.x, over: 2 w}}", 'no source has the event "sold"'),
        ("project", PROJECT + "timezone: ../x", "is not a time zone"),
        ("project", PROJECT + "start: 2025-01-02\nend: 2025-01-01", "the end 2025-01-01 is before the start 2025"),
        ("project", PROJECT.replace("name: small", "name:"), "name is empty; it should be text, such as name: shop"),
        ("project", "name: x", 'the file needs the key "entities"'),
        ("sources", "sources: {}", "sources is {}, a mapping; it should be at least 1 value"),
    ],
)
def test_single_mistakes(problems: Problems, file: str, text: str, problem: str) -> None:
    found = problems(**{file: text})
    assert len(found) == 1
    assert problem in found[0]


def test_no_project_file(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"project.yml:1: there is no project.yml in .*; profiles init makes one"):
        load_project(tmp_path)


def test_no_sources(tmp_path: Path) -> None:
    (tmp_path / "project.yml").write_text(PROJECT)
    with pytest.raises(ProjectError, match=r"^sources.yml:1: no source is declared"):
        load_project(tmp_path)


def test_files_in_deeper_folders_are_not_passed_over(tmp_path: Path, problems: Problems) -> None:
    (tmp_path / "traits" / "deep").mkdir(parents=True)
    (tmp_path / "traits" / "deep" / "a.yml").write_text("traits: {n: {count: bought}}")
    assert problems() == ["traits/deep/a.yml:1: only files directly in traits/ are read; move it to traits/"]


def test_files_of_one_section(tmp_path: Path, problems: Problems) -> None:
    (tmp_path / "traits").mkdir()
    (tmp_path / "traits" / "a.yaml").write_text("traits: {n: {count: bought}}")
    assert problems(traits__a="traits: {m: {count: bought}}") == [
        'traits/a.yml:1: section "a" has a file already: traits/a.yaml'
    ]


def test_a_broken_part_does_not_make_others_wrong(problems: Problems) -> None:
    found = problems(
        sources="sources: {orders: {files: o/*.csv, event_is: bought, ids: {user_id: id}}}",
        traits__a="traits: {n: {count: bought}, m: {cuont: bought}, k: {bucket: m, at: [1]}}",
        predictions__p='predictions: {p: {predict: no bought, over: 30 days, among: {m: "> 0"}}}',
    )
    assert [line.split(":")[0] for line in found] == ["sources.yml", "traits/a.yml"]
