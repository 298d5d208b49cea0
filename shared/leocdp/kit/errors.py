"""The root of the error trees. Each layer draws its own tree in the docstring of its base class."""

from __future__ import annotations

from typing import ClassVar


class LeoError(Exception):
    """Something went wrong that has a name.

    ``code`` is stable and goes into HTTP bodies and logs; ``retryable`` tells whether the same
    call may succeed later without a change.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False
