"""Times as they travel: ISO 8601 in UTC with ``Z`` and milliseconds. Inside, they are integers (ms since 1970 UTC)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017


def iso(at: int) -> str:
    """``2026-01-31T08:00:00.000Z``. ``at`` is in ms and must lie in the years 1 to 9999."""
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_iso(text: str) -> int:
    """ms UTC of an ISO 8601 time; one without a zone is UTC. Raises ValueError."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=_EPOCH.tzinfo)
    since = parsed - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000
