"""What all shapes of requests and answers have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

T = TypeVar("T")

_FIRST = -62_135_596_800_000
_LAST = 253_402_300_799_999


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(ms: int) -> datetime:
    """A time of the domain (ms UTC) as a datetime; beyond the years 1 to 9999 it stops at their ends."""
    seconds, rest = divmod(min(max(ms, _FIRST), _LAST), 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def moment_or_none(ms: int | None) -> datetime | None:
    return None if ms is None else moment(ms)


def to_ms(value: datetime) -> int:
    """A time without a zone is taken as UTC."""
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


Moment = Annotated[datetime, PlainSerializer(iso, return_type=str, when_used="json")]
"""Serialised as ``2026-01-31T08:00:00.000Z``."""


class Shape(BaseModel):
    """An answer. Frozen, so that it can be shared between page, API and masking."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)


class Asked(BaseModel):
    """A request body or query. A name that is not known is a mistake of the sender, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ListOf(Shape, Generic[T]):
    """A page of a list."""

    data: list[T]
    next: str | None = Field(
        default=None, description="Give this as `cursor` to get the next page; null on the last one."
    )


class PageAsked(Asked):
    """Paging of every list."""

    limit: int = Field(default=50, ge=1, le=200, description="At most this many.")
    cursor: str | None = Field(default=None, max_length=2000, description="`next` of the page before.")
