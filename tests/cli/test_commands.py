import json
import subprocess
from pathlib import Path

import pytest

from tests.shop import command, copy_shop, lake_of, profiles


def fails(root: Path, *words: str) -> tuple[int, str]:
    process: subprocess.Popen[str] = command(root, *words)
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    return process.returncode, (out + err).strip()


def an_email(root: Path) -> str:
    with lake_of(root).read() as con:
        row = con.execute(
            "SELECT ids['email'][1] FROM profiles.user_unmasked "
            "WHERE orders > 0 AND churn_risk IS NOT NULL AND len(ids['email']) > 0 AND ids['user_id'] IS NOT NULL "
            "ORDER BY profile_id LIMIT 1"
        ).fetchone()
    assert row
    return str(row[0])


def test_show_in_text_and_json(shop: Path) -> None:
    email = an_email(shop)
    text = profiles(shop, "show", f"email:{email.upper()}")
    shown = json.loads(profiles(shop, "show", f"email:{email}", "--json"))
    assert shown["ids"]["email"] == [email]
    assert shown["traits"]["commerce"]["orders"] > 0
    assert 0 <= shown["predictions"]["churn_risk"]["score"] <= 1
    assert shown["traits"]["commerce"]["churn_tier"] in ("safe", "watch", "rescue")
    for part in (shown["profile_id"], email, "commerce", "orders_90d", "predictions", "churn_risk", "band"):
        assert part in text
    assert json.loads(profiles(shop, "show", shown["profile_id"], "--json")) == shown


def test_show_as_of_an_older_day(shop: Path) -> None:
    email = an_email(shop)
    now = json.loads(profiles(shop, "show", f"email:{email}", "--json"))
    newest = json.loads(profiles(shop, "show", f"email:{email}", "--as-of", now["as_of"], "--json"))
    late = {"predictions": None, "attribution": None}
    assert {**newest, **late} == {**now, **late, "traits": newest["traits"]}
    assert newest["traits"]["engagement"] == now["traits"]["engagement"]
    day = now["last_seen"][:10]
    earlier = json.loads(profiles(shop, "show", f"email:{email}", "--as-of", day, "--json"))
    assert earlier["as_of"] == day


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("email:nobody@nowhere.example", "was never seen"),
        ("emial:a@b.c", 'did you mean "email"'),
        ("email:noreply@shop.example", "blocked"),
        ("4711", "is no profile id"),
    ],
)
def test_show_of_nobody_says_why(shop: Path, asked: str, answer: str) -> None:
    code, said = fails(shop, "show", asked)
    assert code == 1
    assert answer in said


def test_status_query_and_compile(shop: Path) -> None:
    status = json.loads(profiles(shop, "status", "--json"))
    assert {row["source"] for row in status["sources"]} == {"tracks", "identifies", "orders", "members"}
    assert status["waiting"] == []
    assert status["published"][0]["entity"] == "user"
    rows = json.loads(profiles(shop, "query", "SELECT count(*) AS n FROM profiles.user", "--json"))
    assert rows[0]["n"] > 100
    code, said = fails(shop, "query", "DELETE FROM profiles.user_rows")
    assert code == 1
    assert "read-only" in said
    sql = json.loads(profiles(shop, "compile", "commerce", "--json"))["entity_vars/commerce"]
    assert sql.count("FROM raw_events") == 2
    assert {"funnels/checkout", "metrics/revenue", "models/order_baskets"} <= json.loads(
        profiles(shop, "compile", "--json")
    ).keys()
    assert "read-only" not in profiles(shop, "status")


def test_an_unpublished_lake_says_what_to_do(tmp_path: Path) -> None:
    root = copy_shop(tmp_path / "shop")
    code, said = fails(root, "show", "email:a@b.c")
    assert code == 1
    assert "profiles run" in said


def test_a_wrong_project_is_refused_before_anything_runs(tmp_path: Path) -> None:
    root = copy_shop(tmp_path / "shop")
    path = root / "traits" / "commerce.yml"
    path.write_text(path.read_text() + "  broken: {cuont: order_completed}\n")
    code, said = fails(root, "run")
    assert code == 1
    assert f"traits/commerce.yml:{len(path.read_text().splitlines())}" in said
    assert 'did you mean "count"' in said
    assert not (root / ".lake").exists()
    code, said = fails(root, "validate", "--json")
    assert json.loads(said)["details"]


def test_init_makes_a_project_that_validates_and_runs(tmp_path: Path) -> None:
    root = tmp_path / "own"
    profiles(tmp_path, "init", str(root))
    assert "0 predictions" not in profiles(root, "validate")
    assert "✓" in profiles(root, "run")


def test_wrong_usage_exits_with_2(shop: Path) -> None:
    assert fails(shop, "show")[0] == 2
    assert fails(shop, "no-such-command")[0] == 2


def test_show_a_trait_with_its_lineage(shop: Path) -> None:
    about = json.loads(profiles(shop, "show", "trait", "net_spend_90d", "--json"))
    assert about["made_from"] == ["raw_events/orders.p_total"]
    assert about["declared_in"].startswith("traits/commerce.yml:")
    about = json.loads(profiles(shop, "show", "trait", "win_back", "--json"))
    assert "predictions/churn_risk.band" in about["made_from"]
    assert "view by_email" in about["used_by"]
    assert "traits/commerce.yml" in profiles(shop, "show", "trait", "spend_90d")
    code, said = fails(shop, "show", "trait", "spend_90")
    assert code == 1
    assert 'did you mean "spend_90d"?' in said


def test_personal_data_shows_only_when_asked_for(shop: Path) -> None:
    email = an_email(shop)
    masked = json.loads(profiles(shop, "show", f"email:{email}", "--json"))
    plain = json.loads(profiles(shop, "show", f"email:{email}", "--personal", "--json"))
    assert masked["traits"]["lifecycle"]["last_order"] == "***"
    assert json.loads(plain["traits"]["lifecycle"]["last_order"])["order_id"]
    assert "@" in plain["identify_traits"]["email"]
    assert "@" not in masked["identify_traits"]["email"] + masked["traits"]["engagement"]["email"]
    then = json.loads(profiles(shop, "show", f"email:{email}", "--as-of", masked["as_of"], "--json"))
    assert then["traits"]["lifecycle"] == masked["traits"]["lifecycle"]
    assert then["identify_traits"] == masked["identify_traits"]
