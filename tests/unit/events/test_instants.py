"""Times as clients write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.contracts.times import iso
from leocdp.contracts.wire.instants import read_instant

AT = 1_795_293_111_196


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-21T20:31:51.196Z",
        "2026-11-21T20:31:51.196+00:00",
        "2026-11-21T20:31:51.196+0000",
        "2026-11-22T03:31:51.196+07:00",
        "2026-11-21T20:31:51.196",
        "2026-11-21T20:31:51,196Z",
        "2026-11-21T20:31:51.196499Z",
        "2026-11-21T20:31:51.196999999Z",
        "2026-11-21 20:31:51.196Z",
        "2026-11-21 20:31:51.196 UTC",
        "2026-11-22 03:31:51.196 +0700",
        "2026-11-22 03:31:51.196 +07:00",
        "2026-11-21t20:31:51.196z",
        " 2026-11-21T20:31:51.196Z ",
        "20261121T203151.196Z",
        AT,
        float(AT),
        AT / 1000,
        str(AT),
        "1795293111.196",
    ],
)
def test_one_moment(written: Any) -> None:
    assert read_instant(written) == AT


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-11-21T20:31:51Z", AT - 196),
        ("2026-11-21", 1_795_219_200_000),
        (1_795_293_111, AT - 196),
        ("1795293111", AT - 196),
        (0, 0),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999Z", -1),
        ("0001-01-01T00:00:00+14:00", -62_135_647_200_000),
    ],
)
def test_other_moments(written: Any, at: int) -> None:
    assert read_instant(written) == at


@pytest.mark.parametrize(
    "written",
    [
        *(None, True, "", " ", "now", "21/11/2026", "Sat Nov 21 2026", "2026-13-01", "2026-02-30T00:00:00Z"),
        *("2026-11-21T25:00Z", "2026-11-21T20:31:51.196Z[UTC]", "9" * 400, "x" * 10_000),
        *([], {}, -1, 10**15, float("nan"), float("inf"), 10**400),
    ],
)
def test_no_moment(written: Any) -> None:
    assert read_instant(written) is None


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_our_own_way_of_writing_is_read_back(at: int) -> None:
    assert read_instant(iso(at)) == at


@given(st.one_of(st.text(), st.floats(), st.integers(), st.lists(st.integers()), st.booleans(), st.none()))
def test_anything_else_is_no_error(value: Any) -> None:
    found = read_instant(value)
    assert found is None or isinstance(found, int)
