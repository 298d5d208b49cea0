"""The time of an event, whatever its sender's clock says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.domain.event_clock import EARLIEST, corrected

NOW = 1_795_293_600_000
DAY = 86_400_000


@pytest.mark.parametrize(
    ("original", "sent_at", "expected"),
    [
        pytest.param(None, None, (NOW, None), id="no time: the arrival"),
        pytest.param(None, NOW - 5, (NOW, None), id="sent only"),
        pytest.param(NOW - 400, None, (NOW - 400, None), id="no sentAt: the original stands"),
        pytest.param(NOW - 400, NOW - 100, (NOW - 300, None), id="time in the queue stays"),
        pytest.param(NOW + DAY, NOW + DAY + 50, (NOW - 50, None), id="clock a day ahead"),
        pytest.param(100, 5_100, (NOW - 5_000, None), id="clock of 1970"),
        pytest.param(NOW - 900 * DAY, NOW, (NOW - 900 * DAY, None), id="historical import"),
        pytest.param(NOW + 1, None, (NOW, "future"), id="nothing lies in the future"),
        pytest.param(NOW + 73 * 365 * DAY, None, (NOW, "future"), id="2099"),
        pytest.param(NOW, NOW - 60_000, (NOW, "future"), id="happened after it was sent"),
        pytest.param(0, None, (NOW, "bad_timestamp"), id="a clock that was never set"),
        pytest.param(EARLIEST - 1, None, (NOW, "bad_timestamp"), id="before the earliest"),
        pytest.param(EARLIEST, None, (EARLIEST, None), id="the earliest"),
    ],
)
def test_correction(original: int | None, sent_at: int | None, expected: tuple[int, str | None]) -> None:
    assert corrected(NOW, original, sent_at) == expected


TIMES = st.one_of(st.none(), st.integers(-(10**15), 10**15))


@given(st.integers(EARLIEST, 10**14), TIMES, TIMES)
def test_never_in_the_future_and_never_before_the_earliest(
    received: int, original: int | None, sent: int | None
) -> None:
    at, flag = corrected(received, original, sent)
    assert EARLIEST <= at <= received
    assert flag is None or at == received


@given(st.integers(0, DAY), st.integers(-(10**12), 10**12))
def test_an_error_of_the_clock_cancels_out(waited: int, error: int) -> None:
    """A device whose clock is off by any error, sending an event ``waited`` ms after it happened."""
    assert corrected(NOW, NOW - waited + error, NOW + error) == (NOW - waited, None)
