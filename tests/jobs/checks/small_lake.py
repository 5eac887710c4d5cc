"""Literal rows of a small lake in which every expectation holds."""

from datetime import UTC, datetime
from typing import Any

from contract import schemas

DAY = "2026-03-10"
NOW = datetime(2026, 3, 11, 2, tzinfo=UTC)

DDL = {
    "events": schemas.EVENTS,
    "items": schemas.ITEMS,
    "quarantine": schemas.QUARANTINE,
    "user_features": schemas.USER_FEATURES,
    "item_features": schemas.ITEM_FEATURES,
    "candidates": schemas.CANDIDATES,
}


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    """A time in March 2026."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def event(event_id: str | None, **changes: Any) -> dict[str, Any]:
    row = {"event_id": event_id, "ts": at(10), "type": "purchase", "user_id": "u1", "session_id": "s1"}
    return {**row, "item_id": "mug", "position": None, "recommendation_id": None, "value": None, **changes}


def item(item_id: str | None, **changes: Any) -> dict[str, Any]:
    row = {"item_id": item_id, "title": f"A {item_id}", "text": None, "categories": ["kitchen"], "price": 2.5}
    return {**row, "attributes": {"colour": "red"}, "available": True, "updated_at": at(1), **changes}


def user_row(user_id: str | None, **changes: Any) -> dict[str, Any]:
    row = {"user_id": user_id, "segment": "kitchen", "history": ["mug", "pan"], "sessions": 2, "positives": 3}
    return {**row, "mean_price": 2.5, "days_since_last": 0.5, **changes}


def item_row(item_id: str | None, **changes: Any) -> dict[str, Any]:
    row = {"item_id": item_id, "title": f"A {item_id}", "text": None, "categories": ["kitchen"], "price": 2.5}
    row |= {"available": True, "segment": "kitchen", "popularity_7d": 2, "popularity_30d": 3, "buyers_30d": 1}
    return {**row, "age_days": 9.5, "attributes": {}, **changes}


def entry(item_id: str | None, **changes: Any) -> dict[str, Any]:
    return {"item_id": item_id, "source": "als", "scores": [0.5, 0.0], **changes}


def listed(kind: str, key: str | None, *entries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "key": key,
        "sources": ["als", "popularity"],
        "weights": [1.0, 0.5],
        "entries": list(entries),
        **changes,
    }


HEALTHY: dict[str, dict[str, list[dict[str, Any]]]] = {
    "events": {
        "2026-03-09": [event("e1", ts=at(9)), event("e2", ts=at(9), type="rating", value=4.0)],
        # One event of nobody: known users are not required, only most of them.
        DAY: [event("e3"), event("e4", item_id="pan"), event("e5", user_id=None, type="view")],
    },
    "items": {
        "2026-03-01": [item("mug"), item("pan", price=None, categories=None, attributes=None)],
        # A second version of the mug: the catalogue has it once, as it is now.
        "2026-03-08": [item("mug", title="A better mug", updated_at=at(8))],
    },
    "user_features": {DAY: [user_row("u1"), user_row("u2", mean_price=None, days_since_last=None, history=[])]},
    "item_features": {DAY: [item_row("mug"), item_row("pan", price=None)]},
    "candidates": {
        DAY: [
            listed("user", "u1", entry("mug"), entry("pan", source="popularity", scores=[0.0, 1.0])),
            listed("item", "mug", entry("pan")),
            listed("segment", "all", entry("mug")),
        ]
    },
}
