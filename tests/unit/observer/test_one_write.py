"""Head and body in one write, and nothing kept back in any case."""

from __future__ import annotations

import asyncio

import pytest

from leocdp.kit.one_write import OneWrite


class Recorded(asyncio.Transport):
    """What a connection is given to send."""

    def __init__(self) -> None:
        super().__init__({"peername": ("203.0.113.7", 1)})
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def together(recorded: Recorded) -> OneWrite:
    return OneWrite(recorded)


def test_the_next_two_writes_are_one(together: OneWrite, recorded: Recorded) -> None:
    together.hold()
    together.write(b"head ")
    assert recorded.written == []
    together.write(b"body")
    together.release()
    together.write(b"more")
    together.write(b"and more")
    assert recorded.written == [b"head body", b"more", b"and more"]


def test_a_head_whose_body_does_not_come_is_sent(together: OneWrite, recorded: Recorded) -> None:
    together.hold()
    together.write(b"head")
    together.release()
    together.release()
    assert recorded.written == [b"head"]


def test_nothing_was_written_nothing_is_sent(together: OneWrite, recorded: Recorded) -> None:
    together.hold()
    together.release()
    together.write(b"next")
    assert recorded.written == [b"next"]


def test_closing_sends_what_is_held_and_a_closed_connection_gets_nothing(
    together: OneWrite, recorded: Recorded
) -> None:
    together.hold()
    together.write(b"head")
    together.close()
    assert (recorded.written, recorded.closed) == ([b"head"], True)
    together.hold()
    together.write(b"late")
    together.release()
    assert recorded.written == [b"head"]


def test_all_else_is_the_connections(together: OneWrite) -> None:
    assert together.get_extra_info("peername") == ("203.0.113.7", 1)
    assert together.is_closing() is False
