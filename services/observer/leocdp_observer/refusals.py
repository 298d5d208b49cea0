"""Why the edge refuses something, and with which status: every code that a client can meet here."""

from __future__ import annotations

from typing import Final

from leocdp.kit.errors import LeoError

CODES: Final[dict[str, str]] = {
    # whole requests
    "missing_write_key": "no write key: not in Basic auth, the body, the query or X-Write-Key",
    "unknown_write_key": "no source has this write key",
    "source_disabled": "the source is switched off",
    "origin_not_allowed": "the page's origin is not on the source's list",
    "rate_limited": "too many requests with this write key in this second",
    "configuration_not_loaded": "the observer has just started and does not know the sources yet",
    "log_unavailable": "the event log cannot take events now",
    "overloaded": "too many accepted bytes wait for the event log",
    "empty_body": "a body is needed",
    "invalid_json": "the body, or an item, is not JSON",
    "invalid_utf8": "the text is not UTF-8",
    "invalid_encoding": "the body is not what its Content-Encoding says",
    "unsupported_encoding": "a Content-Encoding other than gzip and deflate",
    "body_timeout": "the body did not arrive in time",
    "body_too_large": "more than 512 KiB, unpacked",
    "invalid_batch": "no array `batch` in the body",
    "empty_batch": "`batch` has no item",
    "too_many_items": "more than 2,500 items in a batch",
    "context_too_large": "`context` or `integrations` of the batch is more than 32 KiB",
    "nothing_accepted": "no item of the batch was acceptable, for several reasons",
    "merge_not_supported": "RudderStack's merge call",
    "method_not_allowed": "the path takes another method",
    "not_found": "no such path",
    # single items
    "event_too_large": "more than 32 KiB",
    "too_deep": "more than 100 levels of nesting",
    "not_an_object": "an item is a JSON object",
    "missing_type": "an item of a batch says its type",
    "unknown_type": "not one of identify, track, page, screen, group, alias",
    "missing_id": "neither userId nor anonymousId",
    "missing_event": "a track call names its event",
    "missing_group_id": "a group call has a groupId",
    "missing_previous_id": "an alias call has a previousId and a userId",
    "invalid_field": "a field is of the wrong kind, too long, or has control characters",
    "invalid_pixel": "the pixel's query cannot be read",
}


class Refusal(LeoError):
    """A whole request is refused.

    4xx is only ever for the client's own fault, because SDKs throw away what gets one; what is our fault is a 503 with
    ``retry_after`` seconds, and the SDK keeps its events. ``close`` ends the connection after the answer.
    """

    def __init__(
        self, code: str, message: str, *, status: int = 400, retry_after: int | None = None, close: bool = False
    ) -> None:
        super().__init__(message)
        assert code in CODES, code
        self.reason = code
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.close = close

    @property
    def final(self) -> bool:
        """The client will not send this again, so it is worth keeping for its owner to see."""
        return self.status < 500 and self.status not in (408, 429)


class ItemRefusal(LeoError):
    """One item is refused; the others of its request are not touched."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        assert code in CODES, code
        self.reason = code
        self.message = message
