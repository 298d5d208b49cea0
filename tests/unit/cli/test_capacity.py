"""Capacity: more never needs less, the promised sizes fit their tiers, and what is too much is named."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from leocdp_cli.app import app
from leocdp_cli.capacity.figures import LOG_DAYS_AT_MOST, MEASURED_PEOPLE, TIERS, Tier
from leocdp_cli.capacity.model import Demand, lines, plan

FIVE, TEN = TIERS
COUNTS = st.integers(1, 10**9)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["capacity", *arguments])
    return done.exit_code, done.output


@given(COUNTS, COUNTS, st.integers(50, 32_768), COUNTS, COUNTS)
def test_more_never_needs_less(people: int, events: int, size: int, more_people: int, more_events: int) -> None:
    less = Demand(people, events, size)
    more = replace(less, profiles=people + more_people, events_per_day=events + more_events)
    for tier in TIERS:
        for one, other in zip(lines(less, tier), lines(more, tier), strict=True):
            assert one.need <= other.need, one.what


@given(COUNTS, COUNTS)
def test_the_larger_tier_has_no_less(people: int, events: int) -> None:
    for five, ten in zip(lines(Demand(people, events), FIVE), lines(Demand(people, events), TEN), strict=True):
        assert (five.need, five.unit) == (ten.need, ten.unit)
        # A server of the cluster has a coordinator beside the one that leads.
        assert five.have <= ten.have or five.what == "CPU of the leader"


@pytest.mark.parametrize(
    ("people", "events", "tier"),
    [(100_000, 100_000, FIVE), (1_000_000, 300_000, FIVE), (1_000_001, 300_000, TEN), (2_000_000, 300_000, TEN)],
)
def test_promised_sizes_fit(people: int, events: int, tier: Tier) -> None:
    assert next(one for one in TIERS if plan(Demand(people, events), one).fits) is tier


def test_the_most_is_just_what_fits() -> None:
    demand = Demand(500_000, 1)
    for tier in TIERS:
        found = plan(demand, tier)
        assert plan(replace(demand, events_per_day=found.most_events_per_day), tier).fits
        beyond = plan(replace(demand, events_per_day=int(found.most_events_per_day * 1.01) + 1), tier)
        assert found.first in [line.what for line in beyond.lines if not line.fits]


def test_log_and_disk() -> None:
    few, many = plan(Demand(1_000, 100), FIVE), plan(Demand(1_000, 5_000_000), FIVE)
    assert few.log_days == LOG_DAYS_AT_MOST
    assert many.log_days < 3
    assert "log, days that it must hold" in [line.what for line in many.lines if not line.fits]
    assert many.full_after_days < few.full_after_days


def test_more_of_anything_else_never_needs_less() -> None:
    demand = Demand(1_000_000, 300_000)
    for more in (
        replace(demand, days=730),
        replace(demand, retention_days=30),
        replace(demand, identifiers=9),
        replace(demand, peak=50),
        replace(demand, event_bytes=1_200),
    ):
        pairs = [(one.need, other.need) for one, other in zip(lines(demand, FIVE), lines(more, FIVE), strict=True)]
        assert all(less <= greater for less, greater in pairs)
        assert any(less < greater for less, greater in pairs)


def test_beyond_what_was_measured_is_an_estimate() -> None:
    most = MEASURED_PEOPLE
    basis = {people: {one.what: one.basis for one in lines(Demand(people, 1), TEN)} for people in (most, most + 1)}
    for what in ("processors", "partitions, for a processor each", "memory of processor", "memory of admin"):
        assert (basis[most][what], basis[most + 1][what]) == ("measured", "estimate")


def test_the_cache_holds_fewer_of_more_people() -> None:
    shares = [plan(Demand(people, 1), TEN).cached_people for people in (1_000, 2_000_000, 20_000_000)]
    assert shares[0] == 1 > shares[1] > shares[2] > 0


def test_what_it_says() -> None:
    status, said = run("--profiles", "1000000", "--events-per-day", "300000")
    assert (status, "Take tier-5." in said, "estimate" in said) == (0, True, True)
    status, said = run("--profiles", "3000000", "--events-per-day", "300000")
    assert (status, "No tier fits: people" in said) == (1, True)
    status, said = run("--profiles", "0", "--events-per-day", "1")
    assert (status, "--profiles" in said) == (2, True)
    for nonsense in ("--event-bytes", "--days", "--retention-days", "--identifiers", "--peak"):
        status, said = run("--profiles", "1", "--events-per-day", "1", nonsense, "0")
        assert (status, nonsense in said) == (2, True)
    status, said = run("--profiles", "1500000", "--events-per-day", "200000", "--json")
    assert (status, json.loads(said)["fits"]) == (0, "tier-10")
    assert {line["basis"] for tier in json.loads(said)["tiers"] for line in tier["lines"]} == {
        "measured",
        "estimate",
        "given",
    }
