"""What is planted is in the files, about as often as the settings say."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from profiles_assets.simulator import Settings, simulate
from tests.simulator.conftest import YEAR
from tests.simulator.reading import duplicates, read_landing

Events = dict[str, list[dict[str, Any]]]


def rows(year: Path, name: str) -> list[dict[str, str]]:
    with (year / "truth" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def events(year: Path) -> Events:
    """Readable events of each source, every key once, those of other centuries left out."""
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for day in read_landing(year):
        for event in day.events:
            if event["time"].year == 2025:
                found[day.source].setdefault(event["key"], {**event, "day": day.day})
    return {source: list(keyed.values()) for source, keyed in found.items()}


@pytest.fixture(scope="module")
def totals(year: Path) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = json.loads((year / "truth" / "counts.json").read_text())["totals"]
    return counts


def test_noise_is_as_frequent_as_set(totals: dict[str, dict[str, int]]) -> None:
    tracks, noise = totals["tracks"], YEAR.noise
    for name in ("duplicates", "malformed", "late"):
        assert tracks[name] / tracks["lines"] == pytest.approx(getattr(noise, name), rel=0.2)
    assert (tracks["dated_1970"], tracks["dated_2090"]) == (1, 1)


def test_every_kind_of_malformed_line_occurs(year: Path) -> None:
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for day in read_landing(year):
        kinds[day.source] += day.malformed
    assert set(kinds["tracks"]) == {"truncated", "not_json", "missing_timestamp", "bad_timestamp"}
    assert set(kinds["orders"]) <= {"wrong_columns", "missing_timestamp", "bad_timestamp"}


def test_events_are_at_most_five_days_late(events: Events) -> None:
    late = Counter((event["day"] - event["time"].date()).days for event in events["tracks"])
    assert set(late) == {0, 1, 2, 3, 4, 5}


def test_some_duplicates_come_days_later(year: Path) -> None:
    days = [day for day in read_landing(year) if day.source == "tracks"]
    same_day = sum(len(day.events) - len({event["key"] for event in day.events}) for day in days)
    assert 0.4 < same_day / sum(duplicates(days).values()) < 0.75


def test_void_ids_are_as_frequent_as_set(events: Events) -> None:
    void = {"null", "undefined", ""}
    said = [event["user_id"] for event in events["tracks"]]
    nobody = [value for value in said if value is None or value in void]
    share = sum(value in void for value in nobody if value is not None) / len(nobody)
    assert share == pytest.approx(YEAR.noise.blocked_user_id, rel=0.2)
    mails = [event["email"] for event in events["orders"] if event["email"]]
    shop = sum(mail.lower() == "noreply@shop.example" for mail in mails) / len(mails)
    assert shop == pytest.approx(0.7 * YEAR.noise.blocked_email, rel=0.6)


def test_people_are_of_the_kinds_set(year: Path) -> None:
    people, share = rows(year, "people"), YEAR.population
    kinds = Counter(person["kind"] for person in people)
    assert len(people) == YEAR.people
    assert kinds["guest"] / len(people) == pytest.approx(share.guests, rel=0.25)
    assert kinds["anonymous"] / len(people) == pytest.approx(share.anonymous, rel=0.15)
    changed = sum(person["email_changed_at"] != "" for person in people) / kinds["registered"]
    assert changed == pytest.approx(share.change_email, rel=0.5)


def test_who_changes_email_keeps_the_user_id(events: Events) -> None:
    addresses: dict[str, set[str]] = defaultdict(set)
    for event in events["identifies"]:
        addresses[event["user_id"]].add(event["email"].lower())
    assert max(map(len, addresses.values())) == 2
    assert sum(len(found) == 2 for found in addresses.values()) >= 3


def test_people_browse_before_they_sign_up(year: Path, events: Events) -> None:
    signed_up = {p["user_id"]: p["signed_up_at"][:19] for p in rows(year, "people") if p["user_id"]}
    owner = {r["value"]: r["person"] for r in rows(year, "identities") if r["shared"] == "false"}
    person = {user: owner[user] for user in signed_up if user in owner}
    first: dict[str, datetime] = {}
    for event in events["tracks"]:
        who = owner.get(event["anonymous_id"])
        if who is not None:
            first[who] = min(first.get(who, event["time"]), event["time"])
    before = sum(
        first[who] < datetime.fromisoformat(signed_up[user] + "+00:00") - timedelta(hours=1)
        for user, who in person.items()
        if who in first
    )
    assert before > 100


def test_devices_are_shared_by_families_and_at_the_kiosk(year: Path) -> None:
    users = Counter(row["value"] for row in rows(year, "identities") if row["id_type"] == "device_id")
    shared = {row["value"] for row in rows(year, "identities") if row["shared"] == "true"}
    sizes = sorted((users[value] for value in users if users[value] > 1), reverse=True)
    assert sizes[0] > 5
    assert {2, 3} <= set(sizes[1:])
    assert max(sizes[1:]) <= 5
    assert {value for value in users if users[value] > 1} <= shared


def test_anonymous_ids_change(year: Path) -> None:
    own = [row for row in rows(year, "identities") if row["shared"] == "false"]
    per_person = Counter(row["person"] for row in own if row["id_type"] == "anonymous_id")
    devices = Counter(row["person"] for row in own if row["id_type"] == "device_id")
    assert np.mean(list(per_person.values())) > np.mean(list(devices.values())) > 1.1


def test_bots_are_busy_and_nobody(year: Path, events: Events) -> None:
    bots = {row["anonymous_id"] for row in rows(year, "bots")}
    seen = [event for event in events["tracks"] if event["anonymous_id"] in bots]
    assert len(seen) / len(bots) > 1_000
    assert all("Bot" in event["context"]["userAgent"] and event["device_id"] is None for event in seen)
    assert not bots & {row["value"] for row in rows(year, "identities")}


def test_guests_order_with_an_email_alone(year: Path, events: Events) -> None:
    guests = {p["email"] for p in rows(year, "people") if p["kind"] == "guest"}
    orders = [event for event in events["orders"] if event["email"].lower() in guests]
    assert len(orders) > 200
    assert all(event["user_id"] in ("", "null", "undefined") for event in orders)


def test_damage_makes_people_stop(events: Events) -> None:
    orders: dict[str, list[datetime]] = defaultdict(list)
    for order in events["orders"]:
        orders[order["user_id"]].append(order["time"])
    again: dict[bool, list[bool]] = {True: [], False: []}
    for event in events["tracks"]:
        if event["event"] == "support_ticket_opened" and event["user_id"] and event["time"].month < 11:
            soon = event["time"] + timedelta(days=60)
            damaged = event["properties"]["topic"] == "delivery_damaged"
            assert damaged == (event["properties"]["severity"] == "severe")
            again[damaged].append(any(event["time"] < time < soon for time in orders[event["user_id"]]))
    assert np.mean(again[True]) < 0.35
    assert np.mean(again[False]) > 0.65


def test_orders_are_repeated_and_spending_is_heavy_tailed(year: Path) -> None:
    people = [person for person in rows(year, "people") if person["orders"] != "0"]
    orders = np.array([int(person["orders"]) for person in people])
    spend = np.sort([float(person["spend"]) for person in people])[::-1]
    assert 0.3 < len(people) / YEAR.people < 0.42
    assert 6 < orders.mean() < 13
    assert orders.var() > 5 * orders.mean()
    assert spend[: len(spend) // 10].sum() > 0.35 * spend.sum()


def test_the_truth_about_orders_is_that_of_the_file(year: Path, events: Events) -> None:
    people = rows(year, "people")
    assert sum(int(person["orders"]) for person in people) == len(events["orders"])
    paid = sum(float(event["total"]) for event in events["orders"])
    assert sum(float(person["spend"]) for person in people) == pytest.approx(paid)


def test_weekends_are_busier(events: Events) -> None:
    per_day = Counter(event["time"].weekday() for event in events["orders"])
    assert per_day[5] + per_day[6] > 1.15 * (per_day[0] + per_day[1])


def test_december_is_busier_for_the_same_people(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "people": 400,
            "population": {"already_customers": 1.0, "anonymous": 0, "guests": 0},
            "behaviour": {"dropout_days": 1e9},
            "trouble": {"damaged": 0},
        }
    )
    simulate(settings, tmp_path)
    days = [day for day in read_landing(tmp_path) if day.source == "orders"]
    months = Counter(event["time"].month for day in days for event in day.events)
    assert months[12] > 1.3 * months[6]


def test_everything_can_be_switched_off(tmp_path: Path) -> None:
    quiet: dict[str, Any] = dict.fromkeys(
        ("late", "duplicates", "malformed", "blocked_user_id", "blocked_email", "bots_per_thousand"), 0
    )
    clean = {**quiet, "dated_1970": 0, "dated_2090": 0}
    settings = Settings.model_validate(
        {"people": 60, "days": 10, "noise": clean, "devices": {"kiosks": 0, "in_families": 0}}
    )
    summary = simulate(settings, tmp_path)
    for counts in summary.totals.values():
        assert counts["lines"] == counts["well_formed"]
        assert counts["duplicates"] == counts["bots"] == counts["dated_2090"] == 0
    assert not any(row["shared"] == "true" for row in rows(tmp_path, "identities"))
