"""``--wait``: what is away is tried again, what is refused is not."""

from __future__ import annotations

import pytest

from leocdp_cli import waiting
from leocdp_cli.failure import CommandFailed, Unreachable
from leocdp_cli.waiting import patiently


class Flaky:
    """Fails with each of these in turn, then works."""

    def __init__(self, *failures: CommandFailed) -> None:
        self.failures = list(failures)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PAUSE", 0.01)


def test_what_is_away_is_tried_again_and_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert patiently(Flaky(*(Unreachable("no broker") for _ in range(3))), 10) == "done"
    assert capsys.readouterr().err == "leocdp: waiting. no broker\n"


def test_without_waiting_the_first_word_counts() -> None:
    work = Flaky(Unreachable("no broker"))
    with pytest.raises(Unreachable):
        patiently(work, 0)
    assert work.calls == 1


def test_what_is_refused_is_not_tried_again() -> None:
    work = Flaky(Unreachable("no broker"), CommandFailed("wrong password"))
    with pytest.raises(CommandFailed, match="wrong password"):
        patiently(work, 10)
    assert work.calls == 2


def test_it_ends_with_the_last_word() -> None:
    with pytest.raises(Unreachable, match="no broker"):
        patiently(Flaky(*(Unreachable("no broker") for _ in range(1000))), 0.1)
