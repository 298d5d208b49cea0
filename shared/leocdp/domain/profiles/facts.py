"""What an event says about its person besides traits: named registers where the earliest or the latest event wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from leocdp.domain.events import Envelope

_NOTHING: Final[Mapping[str, Any]] = {}


def firsts_of(event: Envelope) -> Mapping[str, Any]:
    """name → value for ``State.firsts``. The value is kept as it is and must not be changed later."""
    return _NOTHING


def lasts_of(event: Envelope) -> Mapping[str, Any]:
    """name → value for ``State.lasts``. The value is kept as it is and must not be changed later."""
    locale = event.context.get("locale")
    return {"locale": locale} if isinstance(locale, str) and locale else _NOTHING
