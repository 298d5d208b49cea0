from __future__ import annotations

from leocdp_cli.supervisor.backoff import Backoff


def test_pause_doubles_up_to_the_most() -> None:
    backoff = Backoff()
    assert [backoff.delay_after(1.0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_health_starts_over() -> None:
    backoff = Backoff(healthy_after=60)
    for _ in range(5):
        backoff.delay_after(1.0)
    assert backoff.delay_after(60.0) == 0.5
    assert backoff.failures == 1
