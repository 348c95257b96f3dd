"""The words of the shop: names, places, pages, products, and the property texts made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache

FIRST_NAMES = (
    "Anna", "Ben", "Clara", "David", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jonas", "Katja", "Luca",
    "Mia", "Noah", "Olga", "Paul", "Renée", "Sofia", "Tom", "Uwe", "Vera", "Willem", "Xenia", "Yusuf",
    "Zoë", "José", "Amélie", "Björn", "Chiara", "Dimitri", "Eva", "Felix", "Giulia", "Hannah", "Ivan",
    "Julia", "Kofi", "Léa", "Marta", "Nina", "Oskar", "Petra", "Quentin", "Rosa", "Simon", "Tara", "Umut",
    "Viktor", "Wanda", "Yara",
)  # fmt: skip
LAST_NAMES = (
    "Müller", "Rossi", "García", "Dubois", "Novak", "Jansen", "Kowalski", "Schmidt", "Bianchi", "Moreau",
    "Peeters", "Weber", "Silva", "Horvat", "Nielsen", "Fischer", "Romano", "Martin", "López", "Visser",
    "Nagy", "Becker", "Costa", "Laurent", "Wagner", "Ferreira", "Hoffmann", "Conti", "Bakker", "Yılmaz",
    "Koch", "Ricci", "Lefèvre", "Schäfer", "Marino", "Wolf", "Petrov", "Keller", "Santos", "Lindqvist",
)  # fmt: skip
CITIES = (
    ("Berlin", "DE"), ("Hamburg", "DE"), ("München", "DE"), ("Köln", "DE"), ("Paris", "FR"), ("Lyon", "FR"),
    ("Milano", "IT"), ("Roma", "IT"), ("Madrid", "ES"), ("Sevilla", "ES"), ("Amsterdam", "NL"),
    ("Utrecht", "NL"), ("Wien", "AT"), ("Graz", "AT"), ("Zürich", "CH"), ("Warszawa", "PL"),
)  # fmt: skip
MAIL_HOSTS = ("mail.example", "post.example", "inbox.example", "webmail.example", "letters.example")
PLANS = ("free", "plus", "family")
CATEGORIES = ("books", "garden", "kitchen", "toys", "sports", "outdoor", "electronics", "home")
PRODUCTS_PER_CATEGORY = 25
PRODUCTS = len(CATEGORIES) * PRODUCTS_PER_CATEGORY
MAX_QUANTITY = 3
PAYMENTS = ("card", "paypal", "invoice", "transfer")
COUPONS = ("WELCOME10", "SPRING", "FREESHIP")
EVENTS = (
    "page_viewed", "product_viewed", "product_added", "cart_abandoned", "app_opened",
    "newsletter_opened", "support_ticket_opened",
)  # fmt: skip
PAGE, VIEWED, ADDED, ABANDONED, APP, NEWSLETTER, TICKET = range(len(EVENTS))
REFERRERS = (
    "", "https://search.example/", "https://social.example/", "https://news.shop.example/",
    "https://ads.example/spring", "https://compare.example/",
)  # fmt: skip
PATHS = (
    "/", "/sale", "/about", "/help", "/delivery", "/account", "/search",
    *(f"/category/{category}" for category in CATEGORIES),
)  # fmt: skip
TOPICS = ("delivery_damaged", "delivery_late", "refund", "billing", "question")
SEVERITIES = ("low", "medium", "severe")
APP_VERSIONS = ("3.0.1", "3.1.0", "3.2.4")
CAMPAIGNS = 53
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)",
    "Mozilla/5.0 (Linux; Android 15)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7)",
    "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X)",
    "ShopKiosk/2.0",
    "Mozilla/5.0 (compatible; ExampleBot/1.0; +https://bot.example/)",
)
TABLET_AGENT, KIOSK_AGENT, BOT_AGENT = 4, 5, 6
PERSONAL_AGENTS = 4
BLOCKED_USER_IDS = ("null", "undefined", "")
BLOCKED_EMAILS = ("noreply@shop.example", "null", "undefined", "")


def product_price(product: int) -> float:
    """The list price of a product, the same for ever."""
    return round(4.99 + (product * 37 % 101) * 1.35, 2)


def product_text(product: int, quantity: int | None) -> dict[str, object]:
    """The properties of an event about one product."""
    about: dict[str, object] = {
        "product_id": f"p{product:03d}",
        "category": CATEGORIES[product // PRODUCTS_PER_CATEGORY],
        "price": product_price(product),
    }
    return about if quantity is None else {**about, "quantity": quantity}


def _properties() -> Iterable[Mapping[str, object]]:
    yield {}
    yield from ({"path": path, "referrer": referrer} for path in PATHS for referrer in REFERRERS)
    yield from (product_text(product, None) for product in range(PRODUCTS))
    yield from (product_text(p, q + 1) for p in range(PRODUCTS) for q in range(MAX_QUANTITY))
    yield from ({"topic": topic, "severity": severity} for topic in TOPICS for severity in SEVERITIES)
    yield from ({"version": version} for version in APP_VERSIONS)
    yield from ({"campaign": f"week-{week + 1:02d}"} for week in range(CAMPAIGNS))


@cache
def property_texts() -> list[str]:
    """Every property object that can occur, as JSON; events hold positions in this list."""
    return [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in _properties()]


NO_PROPERTIES = 0
PAGES_AT = 1
VIEWED_AT = PAGES_AT + len(PATHS) * len(REFERRERS)
ADDED_AT = VIEWED_AT + PRODUCTS
TICKETS_AT = ADDED_AT + PRODUCTS * MAX_QUANTITY
APPS_AT = TICKETS_AT + len(TOPICS) * len(SEVERITIES)
CAMPAIGNS_AT = APPS_AT + len(APP_VERSIONS)
