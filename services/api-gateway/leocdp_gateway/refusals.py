"""Requests that the gateway answers itself because they may not, or cannot, go on to admin.

Refusal
├── admin cannot be reached: 503 ``admin_unavailable``, 504 ``admin_timeout``
├── the caller is nobody: 401 ``unauthenticated``, ``unknown_key``; or calls too often: 429 ``rate_limited``
└── the request is not acceptable: 400, 404, 405, 408, 413
"""

from __future__ import annotations

import math
from typing import ClassVar

from starlette.responses import Response

from leocdp.kit.errors import LeoError
from leocdp.kit.web import error_response


class Refusal(LeoError):
    """Base of all that a request may be refused for. Says status, code, message and further headers."""

    status: ClassVar[int] = 400
    code = "invalid_request"

    def __init__(self, message: str, **headers: str) -> None:
        super().__init__(message)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def response(self) -> Response:
        headers = {"cache-control": "no-store", **self.headers}
        return error_response(self.status, self.code, str(self), headers=headers)


class InvalidPath(Refusal):
    code = "invalid_path"


class NotFound(Refusal):
    status, code = 404, "not_found"


class MethodNotAllowed(Refusal):
    status, code = 405, "method_not_allowed"


class BodyTooLarge(Refusal):
    status, code = 413, "body_too_large"


class BodyTooSlow(Refusal):
    status, code = 408, "body_timeout"


class Unauthenticated(Refusal):
    status, code = 401, "unauthenticated"

    def __init__(self, message: str) -> None:
        super().__init__(message, www_authenticate="Bearer")


class UnknownKey(Unauthenticated):
    code = "unknown_key"


class RateLimited(Refusal):
    status, code = 429, "rate_limited"

    def __init__(self, message: str, wait: float) -> None:
        super().__init__(message, retry_after=str(max(1, math.ceil(wait))))


class AdminUnavailable(Refusal):
    status, code = 503, "admin_unavailable"
    retryable = True

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after="2")


class AdminTimeout(Refusal):
    status, code = 504, "admin_timeout"
    retryable = True
