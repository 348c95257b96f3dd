"""Packages: what they bring, and how a project overrides it."""

from pathlib import Path

import pytest

from profiles_assets.project.loader import load_project
from profiles_assets.project.problems import ProjectError

FILES = {
    "project.yml": "name: t\nentities: {user: {ids: {user_id: {}}}}\npackages: [shared]\n",
    "sources.yml": "sources: {s: {files: 'l/*.jsonl', time: t, event: e, events: [buy], ids: {user_id: u}}}\n",
    "traits/own.yml": "traits: {orders: {count: buy, within: 7 days}}\n",
    "shared/sources.yml": (
        "sources:\n"
        "  s: {files: 'other/*.jsonl', time: t, event_is: x, ids: {user_id: u}}\n"
        "  crm: {kind: records, key: id, files: 'crm/*.csv', ids: {user_id: u}}\n"
    ),
    "shared/traits/basics.yml": "owner: data\ntraits:\n  orders: {count: buy}\n  days_since_order: {days_since: buy}\n",
    "shared/traits/own.yml": "traits: {plan: {latest: crm.plan}}\n",
    "shared/audiences/a.yml": "audiences: {fresh: {all: [{days_since_order: '< 30'}]}}\n",
    "shared/models/m.sql": "SELECT 1 AS one",
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_a_package_brings_everything_the_project_does_not_declare(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, FILES))
    assert list(project.sources) == ["s", "crm"]
    assert project.sources["s"].files == "l/*.jsonl"
    assert project.sources["crm"].event_is == "crm"
    assert {n: list(s.traits) for n, s in project.sections.items()} == {
        "own": ["plan", "orders"],
        "basics": ["days_since_order"],
    }
    assert project.traits_of("user")["orders"].within == 7
    assert project.sections["basics"].owner == "data"
    assert list(project.audiences) == ["fresh"]
    assert list(project.models) == ["m"]


def test_an_installed_python_package_is_one_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "site", {f"profile_basics/{n.removeprefix('shared/')}": t for n, t in FILES.items() if "/" in n})
    write(tmp_path / "site", {"profile_basics/__init__.py": ""})
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    own = {name: text for name, text in FILES.items() if not name.startswith("shared")}
    own["project.yml"] = own["project.yml"].replace("shared", "profile_basics")
    assert "days_since_order" in load_project(write(tmp_path / "own", own)).traits_of("user")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"project.yml": FILES["project.yml"].replace("shared", "shraed")},
            'no package "shraed"; did you mean "shared"?',
        ),
        ({"project.yml": FILES["project.yml"].replace("shared", "numpy")}, 'the package "numpy" declares nothing'),
        (
            {"shared/traits/basics.yml": "traits: {n: {cuont: buy}}"},
            'shared/traits/basics.yml:1: "cuont" is not a verb',
        ),
        (
            {"shared/traits/basics.yml": "traits: {n: {ratio: [n, orders]}}"},
            "shared/traits/basics.yml:1: traits are made",
        ),
    ],
)
def test_mistakes_in_packages_have_a_place(tmp_path: Path, files: dict[str, str], problem: str) -> None:
    with pytest.raises(ProjectError) as error:
        load_project(write(tmp_path, FILES | files))
    assert problem in str(error.value)
