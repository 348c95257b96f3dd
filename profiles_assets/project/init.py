"""Writes a small commented project to start from."""

import re
from pathlib import Path

from profiles_assets.project.schema import write_schemas

PROJECT = """\
# yaml-language-server: $schema=.schemas/project.json
# The project, and who or what gets a profile.
name: {name}
timezone: UTC                       # its days partition everything
start: 2025-01-01                   # first day to read

entities:
  user:
    ids:                            # the order is the priority
      user_id: {{}}                   # by default at most one of these in a profile
      email: {{normalise: email, max_per_profile: 5}}
      anonymous_id: {{}}              # one used by two known people is evidence for neither
"""
SOURCES = """\
# yaml-language-server: $schema=.schemas/sources.json
# Where events come from and where in a record their parts are.
sources:
  tracks:
    files: landing/tracks/{day}/*.jsonl       # jsonl, csv or parquet, .gz too; {day} is the day of arrival
    event_id: messageId                       # the same id twice is one event
    time: timestamp                           # when it happened
    event: event                              # where the name of the event is
    events: [page_viewed, product_viewed]     # names to expect; a typo in a trait is then found
    ids:
      user_id: userId
      email: context.traits.email
      anonymous_id: anonymousId

  orders:
    files: landing/orders/{day}/*.csv
    event_id: order_id
    time: ordered_at
    event_is: order_completed                 # every record is such an event
    ids: {user_id: user_id, email: email}
    types: {total: number}                    # of properties; the rest is inferred
"""
TRAITS = """\
# yaml-language-server: $schema=../.schemas/traits.json
# Facts about people, one verb each. The name of the file is the name of the section.
owner: growth

traits:
  orders:
    count: order_completed
    title: Orders
  orders_90d:
    count: order_completed
    within: 90 days
    title: Orders, last 90 days
  spend_90d:
    sum: order_completed.total
    within: 90 days
    unless_none: 0
    unit: EUR
    title: Spending, last 90 days
  large_orders:
    count: order_completed
    where: {total: ">= 150"}
    title: Orders of 150 and more
  days_since_order:
    days_since: order_completed
    title: Days since the last order
  favourite_category:
    most_frequent: product_viewed.category
    within: 180 days
    title: Category viewed most
  spender_tier:
    bucket: spend_90d
    at: [50, 200]
    labels: [light, regular, heavy]
    title: Spender tier
"""
PREDICTIONS = """\
# yaml-language-server: $schema=../.schemas/predictions.json
# Questions about the future; the answer is a column of the profile, with a percentile and a band.
owner: growth

predictions:
  churn_risk:
    title: Risk to leave
    predict: no order_completed
    over: 30 days
    among: {orders_90d: "> 0"}                # asked about people who bought lately
    bands: {high: top 10%, medium: next 20%, low: rest}
"""
FILES = {
    "project.yml": PROJECT,
    "sources.yml": SOURCES,
    "traits/basics.yml": TRAITS,
    "predictions/churn.yml": PREDICTIONS,
}


def init_project(root: Path, name: str) -> list[Path]:
    """Write a starter project into a folder and return its files.

    Raises FileExistsError, and writes nothing, when one of the files is there already.
    """
    there = [file for file in (*FILES, ".schemas") if (root / file).exists()]
    if there:
        raise FileExistsError(f"{root / there[0]} is there already; choose another folder")
    texts = {**FILES, "project.yml": PROJECT.format(name=project_name(name))}
    return [*(_write(root / file, text) for file, text in texts.items()), *write_schemas(root / ".schemas")]


def project_name(text: str) -> str:
    """A name that a project can have, made from any text."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60].rstrip("_")
    return name if name[:1].isalpha() else f"project_{name}".rstrip("_")[:60]


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
