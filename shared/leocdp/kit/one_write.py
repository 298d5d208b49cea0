"""An answer's head and body in one write: one system call and one packet on the wire instead of two.

uvicorn hands the head and the body of an answer to the transport one after the other, and each write goes out at once.
An application that has both at hand says so before it sends::

    together = scope["extensions"][ONE_WRITE]
    together.hold()
    await send(start)
    await send(body)
    together.release()
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

ONE_WRITE: Final = "leocdp.one_write"
"""Key in ``scope["extensions"]`` of a server that can do this."""


class OneWrite:
    """A transport in front of another; all but writing and closing goes through."""

    __slots__ = ("_held", "_holding", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._holding = False
        self._held = b""

    def hold(self) -> None:
        """Keep what is written next until the write after it, or ``release``."""
        self._holding = True

    def release(self) -> None:
        self._holding = False
        if self._held:
            held, self._held = self._held, b""
            if not self._transport.is_closing():
                self._transport.write(held)

    def write(self, data: bytes) -> None:
        if self._held:
            data, self._held = self._held + data, b""
        elif self._holding:
            self._holding, self._held = False, data
            return
        self._transport.write(data)

    def close(self) -> None:
        self.release()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
