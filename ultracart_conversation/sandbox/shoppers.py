"""A customer on the storefront: the pages they saw, their cart, and where they are in the chat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .dates import eastern
from .envelope import Json, without_nulls

if TYPE_CHECKING:
    from .conversations import Conversation, Message, Person
    from .dice import Dice
    from .queues import QueueEntry

STORE = "https://demo.ultracartstore.example"
CATALOG: tuple[tuple[str, str, float], ...] = (
    ("TEA-EARL", "Earl Grey, 100 g tin", 12.5),
    ("TEA-SENCHA", "Sencha, 50 g pouch", 9.95),
    ("POT-IRON", "Cast iron teapot, 0.8 l", 64.0),
    ("CUP-SET4", "Porcelain cups, set of four", 38.0),
    ("FILTER-100", "Paper filters, 100 pieces", 4.25),
)
_AGENTS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/129.0 Safari/537.36",
)
_REFERRERS = ("https://www.google.com/", "https://duckduckgo.com/", "https://news.tea.example/spring")


@dataclass(slots=True)
class Browsing:
    """One session in the store."""

    cart_id: str
    ucacid: str
    start_ms: int
    referrer: str
    user_agent: str
    pages: list[str] = field(default_factory=list[str])
    lines: dict[str, float] = field(default_factory=dict[str, float])
    coupons: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Shopper:
    """A customer who visits now; `entry` while they wait, `conversation` once they chat."""

    person: Person
    browsing: Browsing
    entry: QueueEntry | None = None
    conversation: Conversation | None = None
    unsent: list[Message] = field(default_factory=list["Message"])


def browse(chance: Dice, start_ms: int) -> Browsing:
    """A session with one or two pages and a small cart."""
    session = Browsing(
        cart_id=f"{chance.getrandbits(128):032X}",
        ucacid=f"{chance.getrandbits(64):016x}",
        start_ms=start_ms,
        referrer=chance.choice(_REFERRERS),
        user_agent=chance.choice(_AGENTS),
        pages=[f"{STORE}/"],
    )
    for item_id, _, _ in chance.sample(CATALOG, k=chance.randint(1, 2)):
        session.pages.append(page_of(item_id))
        session.lines[item_id] = float(chance.randint(1, 3))
    return session


def page_of(item_id: str) -> str:
    return f"{STORE}/item/{item_id}"


def context(session: Browsing) -> Json:
    """A ConversationWebchatContext."""
    referrers = [session.referrer, *session.pages]
    return {
        "cart": _cart(session),
        "current_url": session.pages[-1],
        "page_view": [_page_view(*each) for each in zip(session.pages, referrers, strict=False)],
        "session_start": _session_start(session),
        "session_start_dts": eastern(session.start_ms),
        "session_utm": {"utm_source": "newsletter", "utm_medium": "email", "utm_campaign": "spring-teas"},
    }


def _cart(session: Browsing) -> Json:
    items = [_item(position, *line) for position, line in enumerate(session.lines.items())]
    subtotal = sum(item["total_cost"]["value"] for item in items)
    return without_nulls(
        {
            "cart_id": session.cart_id,
            "merchant_id": "DEMO",
            "currency_code": "USD",
            "base_currency_code": "USD",
            "language_iso_code": "ENG",
            "logged_in": False,
            "items": items,
            "coupons": [{"coupon_code": code} for code in session.coupons] or None,
            "summary": {"subtotal": _money(subtotal), "tax": _money(0.0), "total": _money(subtotal)},
        }
    )


def _item(position: int, item_id: str, quantity: float) -> Json:
    known = {each: (description, price) for each, description, price in CATALOG}
    description, price = known.get(item_id, (item_id, 10.0))
    return {
        "position": position + 1,
        "item_id": item_id,
        "description": description,
        "quantity": quantity,
        "unit_cost": _money(price),
        "total_cost": _money(price * quantity),
        "view_url": page_of(item_id),
        "kit": False,
        "upsell": False,
    }


def _money(value: float) -> Json:
    return {"currency_code": "USD", "value": round(value, 2), "localized_formatted": f"${value:,.2f}"}


def _page_view(url: str, referrer: str) -> Json:
    title = url.rpartition("/")[2] or "Home"
    return {"method": "GET", "url": url, "title": title, "referrer": referrer, "time_on_page": 12.5, "bounce": False}


def _session_start(session: Browsing) -> Json:
    return {
        "referrer": session.referrer,
        "user_agent": session.user_agent,
        "user_ip": "203.0.113.7",
        "geolocation_country": "US",
        "geolocation_province": "GA",
        "screen_width": 1440,
        "screen_height": 900,
        "time_on_Site": 42.5,
        "bot": False,
        "bounce": False,
    }
