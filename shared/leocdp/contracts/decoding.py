"""Decoding what stands in the log: anything may stand there, and only one kind of error comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, TypeVar

import msgspec

LATEST_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, beyond which nothing can be shown as a date."""
Millis = Annotated[int, msgspec.Meta(ge=0, le=LATEST_MS)]
"""ms UTC."""

T = TypeVar("T")


def decoded(decode: Callable[[bytes], T], value: bytes) -> T:
    """Raises msgspec.MsgspecError, also for text that is no UTF-8 and for endless nesting, which msgspec passes on."""
    try:
        return decode(value)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"text is not UTF-8 ({error.reason})") from error
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deeply") from error
