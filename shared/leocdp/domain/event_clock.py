"""When an event happened, whatever the sender's clock says. All times are ms since 1970 UTC."""

from __future__ import annotations

from typing import Final

EARLIEST: Final = 631_152_000_000
"""1990-01-01: what claims to be older comes from a clock that was never set."""


def corrected(received_at: int, original: int | None, sent_at: int | None) -> tuple[int, str | None]:
    """The event's time, and a flag when the sender's word could not stand.

    ``received_at − (sent_at − original)``: sender's clock against sender's clock, so that its error cancels out and
    the time an event waited in a queue stays. Without ``sent_at`` the original stands. Nothing lies in the future
    (``future``: clamped to the arrival), nothing before :data:`EARLIEST` (``bad_timestamp``: the arrival is taken).
    Source of the formula: Segment's specification of common fields.
    """
    if original is None:
        return received_at, None
    at = original if sent_at is None else received_at - (sent_at - original)
    if at > received_at:
        return received_at, "future"
    if at < EARLIEST:
        return received_at, "bad_timestamp"
    return at, None
