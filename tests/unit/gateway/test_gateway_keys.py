"""API keys: checked by admin, remembered for a while, limited, and their use reported."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from leocdp_gateway import auth
from leocdp_gateway.admin import Admin
from leocdp_gateway.auth import Keys
from leocdp_gateway.key_use import KeyUse
from leocdp_gateway.rate_limit import Failures, KeyRate
from leocdp_gateway.upstream import Upstream as PooledUpstream
from tests.unit.gateway.conftest import KEY
from tests.unit.gateway.test_gateway_forwarding import BEARER, raw
from tests.unit.gateway.upstream import SECRET, Upstream, served


class SettableClock:
    """Both clocks of the gateway: ``now`` in ms, and a timer in seconds."""

    def __init__(self) -> None:
        self.seconds = time.time()

    def now(self) -> int:
        return int(self.seconds * 1000)

    def timer(self) -> float:
        return self.seconds


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic bGtfZ29vZDo="}, {"cookie": "leocdp_sessions=1"}])
async def test_the_api_takes_nobody_without_key_or_session(gateway: Any, upstream: Upstream, headers: Any) -> None:
    response = await gateway.client.get("/api/v1/profiles", headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert response.headers["www-authenticate"] == "Bearer"
    assert upstream.seen == []


@pytest.mark.parametrize("key", ["lk_wrong", "ö", "x" * 600])
async def test_a_wrong_key_is_refused_even_with_a_session(gateway: Any, upstream: Upstream, key: str) -> None:
    headers = [(b"authorization", f"Bearer {key}".encode()), (b"cookie", b"leocdp_session=s")]
    response = await gateway.client.get("/api/v1/profiles", headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "unknown_key")
    assert upstream.seen == []
    assert upstream.asked == (["lk_wrong"] if key == "lk_wrong" else [])


async def test_an_empty_key_is_no_key(gateway: Any, upstream: Upstream) -> None:
    request = b"GET /api/v1/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \r\nconnection: close\r\n\r\n"
    assert b" 401 " in await raw(gateway.port, request)
    assert upstream.asked == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
async def test_the_scheme_is_read_as_the_standard_says(gateway: Any, scheme: str) -> None:
    response = await gateway.client.get("/api/v1/profiles", headers={"authorization": f"{scheme} lk_good"})
    assert response.status_code == 200


async def test_admin_is_asked_once_for_a_key(gateway: Any, upstream: Upstream) -> None:
    await asyncio.gather(*(gateway.client.get("/api/v1/profiles", headers=BEARER) for _ in range(20)))
    await gateway.client.get("/api/v1/profiles", headers=BEARER)
    assert upstream.asked == ["lk_good"]
    assert len(upstream.seen) == 21


async def keys_of(upstream: Upstream, port: int, clock: SettableClock) -> Keys:
    return Keys(admin_at(port, clock), clock, seconds=30, timer=clock.timer)


def admin_at(port: int, clock: SettableClock) -> Admin:
    return Admin(PooledUpstream(f"http://127.0.0.1:{port}", 10), SECRET.encode(), clock)


async def test_yes_is_remembered_for_30_seconds_and_no_for_5(upstream: Upstream) -> None:
    clock = SettableClock()
    async with served(upstream) as port:
        keys = await keys_of(upstream, port, clock)
        assert (await keys.ask("lk_good")).id == "k1"  # type: ignore[union-attr]
        assert await keys.ask("lk_wrong") is None
        clock.seconds += 4.9
        assert keys.remembered("lk_wrong") is None
        clock.seconds += 0.2
        assert keys.remembered("lk_wrong") is auth.UNSET
        clock.seconds += 24.8
        assert keys.remembered("lk_good").id == "k1"  # type: ignore[union-attr]
        clock.seconds += 0.2
        assert keys.remembered("lk_good") is auth.UNSET


async def test_a_key_that_expires_meanwhile_is_refused(upstream: Upstream) -> None:
    clock = SettableClock()
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(clock.seconds + 10))
    upstream.keys["lk_short"] = {**KEY, "expires_at": expires}
    async with served(upstream) as port:
        keys = await keys_of(upstream, port, clock)
        assert await keys.ask("lk_short") is not None
        assert keys.remembered("lk_short") is not None
        clock.seconds += 11
        assert keys.remembered("lk_short") is None


async def test_only_so_many_keys_are_remembered(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "MOST_KEYS", 10)
    clock = SettableClock()
    async with served(upstream) as port:
        keys = await keys_of(upstream, port, clock)
        for number in range(12):
            await keys.ask(f"lk_{number}")
        assert [keys.remembered(f"lk_{number}") is auth.UNSET for number in range(12)] == [True] * 2 + [False] * 10


async def test_a_gateway_with_another_secret_says_unavailable_and_not_wrong_key(
    gateway: Any, upstream: Upstream
) -> None:
    upstream.refuse_internal = 401
    response = await gateway.client.get("/api/v1/profiles", headers=BEARER)
    assert (response.status_code, response.json()["code"]) == (503, "admin_unavailable")
    upstream.refuse_internal = 0
    assert (await gateway.client.get("/api/v1/profiles", headers=BEARER)).status_code == 200


async def test_guessing_from_one_address_ends(start: Any, upstream: Upstream) -> None:
    gateway = await start(gateway_failure_limit=5)
    await gateway.client.get("/api/v1/profiles", headers=BEARER)
    answers = await asyncio.gather(
        *(gateway.client.get("/api/v1/x", headers={"authorization": f"Bearer lk_{n}"}) for n in range(12))
    )
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7
    limited = next(answer for answer in answers if answer.status_code == 429)
    assert limited.json()["code"] == "rate_limited"
    assert 0 < int(limited.headers["retry-after"]) <= 60
    assert len(upstream.asked) == 6, "admin is not asked on behalf of who guesses"
    known = await gateway.client.get("/api/v1/profiles", headers=BEARER)
    assert known.status_code == 200, "who shares the address and has a good key goes on"


async def test_an_admin_that_is_away_is_no_failed_attempt(start: Any) -> None:
    gateway = await start(admin=False, gateway_failure_limit=3)
    for _ in range(6):
        assert (await gateway.client.get("/api/v1/profiles", headers=BEARER)).status_code == 503


async def test_a_key_has_a_rate(start: Any, upstream: Upstream) -> None:
    upstream.keys["lk_other"] = {**KEY, "id": "k2"}
    gateway = await start(gateway_rate_limit=3)
    answers = [await gateway.client.get("/api/v1/profiles", headers=BEARER) for _ in range(8)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert limited[0].json()["code"] == "rate_limited"
    assert limited[0].headers["retry-after"] == "1"
    other = await gateway.client.get("/api/v1/profiles", headers={"authorization": "Bearer lk_other"})
    assert other.status_code == 200
    assert 'leocdp_gateway_limited_total{limit="key"}' in (await gateway.client.get("/metrics")).text


async def test_the_use_of_keys_is_reported_at_the_end(upstream: Upstream, start: Any) -> None:
    gateway = await start()
    await gateway.client.get("/api/v1/profiles", headers=BEARER)
    assert upstream.used == {}
    await gateway.environment.use.report()
    assert set(upstream.used) == {"k1"}
    assert abs(upstream.used["k1"] - time.time() * 1000) < 60_000


async def test_use_that_admin_did_not_take_is_told_again(upstream: Upstream) -> None:
    clock = SettableClock()
    async with served(upstream) as port:
        use = KeyUse(admin_at(port, clock), clock)
        use.note("k1")
        upstream.refuse_internal = 500
        await use.report()
        clock.seconds += 1
        use.note("k2")
        upstream.refuse_internal = 0
        await use.report()
        assert upstream.used == {"k1": clock.now() - 1000, "k2": clock.now()}


def test_a_bucket_refills_with_time() -> None:
    clock = SettableClock()
    rate = KeyRate(10, clock.timer)
    assert [rate.take("k") for _ in range(10)] == [0.0] * 10
    assert rate.take("k") == pytest.approx(0.1)
    clock.seconds += 0.25
    assert [rate.take("k") > 0 for _ in range(3)] == [False, False, True]
    clock.seconds += 3600
    assert [rate.take("k") > 0 for _ in range(11)] == [False] * 10 + [True]
    assert KeyRate(0, clock.timer).take("k") == 0.0


def test_failures_age_and_belong_to_a_network() -> None:
    clock = SettableClock()
    failures = Failures(2, clock.timer)
    for address in ("2001:db8::1", "2001:db8::2"):
        assert failures.wait(address) == 0
        failures.begin(address)
    assert failures.wait("2001:db8::3") == pytest.approx(60)
    assert failures.wait("2001:db8:1::1") == 0
    failures.take_back("2001:db8::2")
    assert failures.wait("2001:db8::3") == 0
    failures.begin("2001:db8::3")
    clock.seconds += 61
    assert failures.wait("2001:db8::3") == 0


def test_failures_of_very_many_addresses_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leocdp_gateway.rate_limit.MOST_ADDRESSES", 100)
    clock = SettableClock()
    failures = Failures(1, clock.timer)
    for number in range(350):
        failures.begin(f"10.0.{number // 250}.{number % 250}")
    assert len(failures._attempts) <= 100
    assert failures.wait("10.0.1.99") > 0
