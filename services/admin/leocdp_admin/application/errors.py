"""What can go wrong with a request, in words for its sender. The API turns these into statuses, the UI into pages."""

from __future__ import annotations

from collections.abc import Sequence

from leocdp.domain.errors import Problem
from leocdp.kit.errors import LeoError


class RequestError(LeoError):
    """Base of all that a use case raises on purpose; ``code`` and the text go to the client.

    RequestError                    status
    ├── Unauthenticated             401  nobody is signed in, or the key is not good
    ├── Forbidden                   403  somebody who may not
    ├── NotFound                    404
    ├── Conflict                    409  it does not go together with what there is
    ├── Changed                     412  somebody was faster
    ├── Unacceptable                422  of the wrong shape; ``problems`` name the places
    ├── TooManyAttempts             429  wait ``retry_after`` seconds
    └── NotNow                      503  retryable: the log or a store cannot be reached
    """

    status = 500

    def __init__(self, code: str, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.public_code = code
        self.message = message
        self.problems = tuple(problems)


class Unauthenticated(RequestError):
    status = 401

    def __init__(self, message: str = "Sign in first.", code: str = "unauthenticated") -> None:
        super().__init__(code, message)


class Forbidden(RequestError):
    status = 403

    def __init__(self, message: str, code: str = "forbidden") -> None:
        super().__init__(code, message)


class NotFound(RequestError):
    status = 404


class Conflict(RequestError):
    status = 409


class Changed(RequestError):
    status = 412

    def __init__(self, current: int) -> None:
        super().__init__("version_mismatch", f"Somebody was faster: the version is {current} now. Read it again first.")
        self.current = current


class Unacceptable(RequestError):
    status = 422

    def __init__(self, problems: Sequence[Problem], message: str = "", code: str = "invalid") -> None:
        listed = "; ".join(f"{found.path}: {found.problem}" if found.path else found.problem for found in problems)
        super().__init__(code, message or listed, problems)


class TooManyAttempts(RequestError):
    status = 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__("too_many_attempts", message)
        self.retry_after = retry_after


class NotNow(RequestError):
    status = 503
    retryable = True

    def __init__(self, message: str, code: str = "unavailable") -> None:
        super().__init__(code, message)
