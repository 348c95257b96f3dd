"""A small project read from files, for checks that are tested one by one."""

from pathlib import Path

from profiles_assets.project.draft import Draft
from profiles_assets.project.loader import read_draft

PROJECT = "name: small\nentities: {user: {ids: {user_id: {}, email: {}, owners: {}}}, shop: {ids: {shop_id: {}}}}\n"
SOURCES = (
    "sources:\n  orders: {files: o/*.csv, time: at, event_is: bought, ids: {user_id: id, shop_id: shop}, "
    "types: {total: number, city: text}}\n"
)
TRAITS = "traits: {spend: {sum: bought.total}, orders: {count: bought}, city: {latest: bought.city}}\n"


def draft_of(root: Path, **files: str) -> Draft:
    """Draft of the small project with more files, such as metrics__a for metrics/a.yml."""
    texts = {"project.yml": PROJECT, "sources.yml": SOURCES, "traits/facts.yml": TRAITS}
    texts |= {name.replace("__", "/") + ".yml": text for name, text in files.items()}
    for name, text in texts.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return read_draft(root)
