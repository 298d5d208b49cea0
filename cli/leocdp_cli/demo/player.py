"""Plays a story against an observer, as a well-behaved client: in order, in batches, again when it was not accepted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx

from leocdp.contracts.times import iso
from leocdp_cli.demo.story import Call

BATCH = 40
TRIES = 12


class NotAccepted(Exception):
    """The observer refused events or could not be reached; the text says what to do."""


async def play(
    calls: Sequence[Call], *, url: str, write_key: str, speed: float, now: int, client: httpx.AsyncClient
) -> AsyncIterator[int]:
    """Send all calls; yields the number accepted after each batch.

    ``speed`` is in events per second; ``now`` (ms UTC) is when the story ends. Raises NotAccepted.
    """
    began = time.monotonic()
    accepted = 0
    for start in range(0, len(calls), BATCH):
        part = [{**call.body, "timestamp": iso(now - call.before)} for call in calls[start : start + BATCH]]
        accepted += await _send(client, f"{url}/v1/batch", write_key, part)
        yield accepted
        ahead = (start + len(part)) / speed - (time.monotonic() - began)
        if ahead > 0:
            await asyncio.sleep(ahead)


async def _send(client: httpx.AsyncClient, url: str, write_key: str, part: list[dict[str, Any]]) -> int:
    """Post one batch until it is accepted, waiting as the observer asks. The same messages never count twice."""
    problem = ""
    for attempt in range(TRIES):
        body = {"batch": part, "sentAt": iso(time.time_ns() // 1_000_000)}
        wait = min(10.0, 0.25 * 2**attempt)
        try:
            response = await client.post(url, json=body, auth=(write_key, ""))
        except httpx.TransportError as error:
            problem = f"{type(error).__name__}: is the observer running at {url}?"
        else:
            if response.status_code == 200:
                return int(response.json().get("accepted", len(part)))
            problem = f"{response.status_code} {response.text[:200]}"
            if response.status_code not in (401, 429, 503):
                raise NotAccepted(f"The observer refused a batch: {problem}")
            wait = float(response.headers.get("retry-after", wait))
        await asyncio.sleep(wait)
    raise NotAccepted(f"Events were not accepted after {TRIES} tries: {problem}")
