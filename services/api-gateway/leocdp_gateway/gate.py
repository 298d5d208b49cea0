"""Who may pass: the principal that a request goes on as."""

from __future__ import annotations

from typing import Final

from leocdp.contracts.principal import Principal
from leocdp.kit import metric_catalogue as m
from leocdp.kit.metrics import Metrics
from leocdp_gateway.admin import ApiKey
from leocdp_gateway.auth import Keys, Unset, bearer_key, has_cookie
from leocdp_gateway.headers import Caller, RawHeaders
from leocdp_gateway.key_use import KeyUse
from leocdp_gateway.rate_limit import Failures, KeyRate
from leocdp_gateway.refusals import RateLimited, Unauthenticated, UnknownKey
from leocdp_gateway.routes import Door

SESSION_COOKIE: Final = "leocdp_session"
"""Admin's cookie: with it a browser's own scripts use the API, and admin checks it."""


class Gate:
    def __init__(self, *, keys: Keys, use: KeyUse, rate: KeyRate, failures: Failures, metrics: Metrics) -> None:
        self._keys = keys
        self._use = use
        self._rate = rate
        self._failures = failures
        self._metrics = metrics

    async def principal(self, door: Door, headers: RawHeaders, caller: Caller) -> Principal:
        """Raises Unauthenticated, UnknownKey, RateLimited, AdminUnavailable."""
        key = bearer_key(headers) if door is Door.API else None
        if key is None:
            if door is Door.API and not has_cookie(headers, SESSION_COOKIE):
                raise Unauthenticated(
                    "Send an API key: `Authorization: Bearer lk_…`. The key page of the UI makes one."
                )
            return Principal(kind="ui", client=caller.client, https=caller.https)
        known = await self._check(key, caller.client)
        self._limit(known.id)
        self._use.note(known.id)
        return Principal(kind="key", key_id=known.id, scopes=known.scopes, client=caller.client, https=caller.https)

    async def _check(self, key: str, client: str) -> ApiKey:
        known = self._keys.remembered(key)
        if isinstance(known, ApiKey):
            return known
        asked = await self._attempt(key, client) if isinstance(known, Unset) and key else None
        if asked is None:
            self._refuse_guesses(client)
            self._failures.begin(client)
            raise UnknownKey("This API key is unknown, expired or revoked.")
        return asked

    async def _attempt(self, key: str, client: str) -> ApiKey | None:
        """Ask admin. The attempt counts as a failure until admin has said yes, so that many at once count as many;
        requests with one and the same key are one attempt."""
        if self._keys.being_asked(key):
            return await self._keys.ask(key)
        self._refuse_guesses(client)
        self._failures.begin(client)
        found = None
        try:
            found = await self._keys.ask(key)
        finally:
            # Counted by the caller when it was wrong; not at all when admin could not be asked.
            self._failures.take_back(client)
        return found

    def _refuse_guesses(self, client: str) -> None:
        if wait := self._failures.wait(client):
            self._metrics.inc(m.GATEWAY_LIMITED, limit="address")
            raise RateLimited("Too many wrong API keys from this address. Check the key, then try again.", wait)

    def _limit(self, key_id: str) -> None:
        if wait := self._rate.take(key_id):
            self._metrics.inc(m.GATEWAY_LIMITED, limit="key")
            raise RateLimited("This API key has sent too many requests. Slow down and try again.", wait)
