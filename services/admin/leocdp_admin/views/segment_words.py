"""Segments in words: states, colours, and conditions to begin with."""

from __future__ import annotations

import json
from typing import Any, Final

from leocdp.domain.errors import Problem
from leocdp_admin.application.errors import Unacceptable
from leocdp_admin.i18n.catalogues import N_

STATUS: Final = {
    "building": N_("Being computed"),
    "live": N_("Working"),
    "paused": N_("Paused"),
    "broken": N_("Broken"),
    "archived": N_("Archived"),
}
STATUS_COLOURS: Final = {
    "building": "azure",
    "live": "green",
    "paused": "yellow",
    "broken": "red",
    "archived": "secondary",
}

STARTS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "loyal": (
        N_("Bought twice in 30 days"),
        {"all": [{"event": "Order Completed", "count": {"is": "gte", "value": 2}, "within": "30d"}]},
    ),
    "lapsed": (
        N_("Customers who stopped buying"),
        {
            "all": [
                {"event": "Order Completed", "count": {"is": "gte", "value": 1}},
                {"event": "Order Completed", "count": {"is": "eq", "value": 0}, "within": "90d"},
            ]
        },
    ),
    "cart": (
        N_("Left something in the cart"),
        {
            "all": [
                {
                    "sequence": [{"event": "Product Added"}, {"event": "Order Completed", "not": True}],
                    "within": "2h",
                    "since": "3d",
                }
            ]
        },
    ),
    "reachable": (
        N_("Agreed to marketing, with an e-mail address"),
        {"all": [{"consent": "marketing", "is": "granted"}, {"identifier": "email", "is": "exists"}]},
    ),
    "birthday": (
        N_("Birthday in the next 7 days"),
        {"all": [{"trait": "birthday", "is": "anniversary", "within_next": "7d"}]},
    ),
    "new": (
        N_("New visitors of this week"),
        {"all": [{"type": "page", "first": True, "within": "7d"}]},
    ),
    "everyone": (N_("Everyone"), {"everyone": True}),
}
"""Key → what people call it, and its condition."""


def written(condition: object) -> str:
    """A condition as it stands in the editor."""
    return json.dumps(condition, ensure_ascii=False, indent=2)


def read_json(text: str, path: str) -> dict[str, Any]:
    """A JSON object as typed. Raises Unacceptable where it is none, with the line."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise Unacceptable([Problem(path, f"is no JSON (line {error.lineno}: {error.msg})")]) from error
    except ValueError as error:
        raise Unacceptable([Problem(path, f"is no JSON ({error})")]) from error
    if not isinstance(found, dict):
        raise Unacceptable([Problem(path, "must be a JSON object in braces")])
    return found
