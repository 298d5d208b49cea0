"""Whether writing works, as far as the latest try has shown: what only reads would call a full disk healthy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from leocdp.kit.errors import LeoError

SECONDS: Final = 10.0
"""So long a failed write counts; then the next try shows whether the trouble is over."""


class Doubt:
    def __init__(self) -> None:
        self._reason = ""
        self._since = 0.0

    @property
    def reason(self) -> str:
        """The sentence of the latest write, if that failed a moment ago."""
        return self._reason if self._reason and monotonic() - self._since < SECONDS else ""

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around a write; errors that no waiting mends say nothing about the store."""
        try:
            yield
        except LeoError as error:
            if error.retryable:
                self._reason, self._since = str(error), monotonic()
            raise
        else:
            self._reason = ""
