"""Regular expressions of conditions: RE2, so that no expression can take longer than its text is long."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from leocdp.domain.segments.limits import PATTERN_MEMORY


class PatternError(ValueError):
    """Not an RE2 expression, or too large a one; the message is for people."""


@lru_cache(maxsize=1_024)
def compiled(pattern: str, ignore_case: bool = False) -> Any:
    """Raises PatternError. ``.search(text)`` of the result tells whether a text matches."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    options.case_sensitive = not ignore_case
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise PatternError(_said(error)) from None


def _said(error: Exception) -> str:
    detail = error.args[0] if error.args else ""
    told = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
    if told.startswith("invalid perl operator: (?"):
        return f"{told}; look-ahead, look-behind and the like are not possible"
    if told.startswith("invalid escape sequence: \\") and told[-1:].isdigit():
        return f"{told}; references back to a group are not possible"
    return told
