"""A client that never gives up: it sends events until each is acknowledged, as an SDK with a queue does."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx


@dataclass
class Sent:
    """What was acknowledged: per visitor how many events, and every message id."""

    acknowledged: set[str] = field(default_factory=set)
    per_person: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    took: list[float] = field(default_factory=list)
    """Seconds to each acknowledgement, from the try that brought it."""
    unexpected: list[str] = field(default_factory=list)


class RetryingClient:
    """``workers`` visitors at a time, each with two devices and a user id; singles and batches mixed."""

    def __init__(self, url: str, write_key: str, *, seed: int, people: int, workers: int = 8, padding: int = 0) -> None:
        """``url``: of an observer, or of several with commas between them: each try goes to any of them.
        ``padding``: bytes of text in each event, for loads that are to be large."""
        self._urls = url.split(",")
        self._auth = (write_key, "")
        self._random = Random(seed)
        self._people = people
        self._workers = workers
        self._text = {"text": "x" * padding} if padding else {}
        self._stop = asyncio.Event()
        self.sent = Sent()

    def stop(self) -> None:
        """Send nothing new; what is on its way is sent to its acknowledgement."""
        self._stop.set()

    async def run(self) -> Sent:
        limits = httpx.Limits(max_connections=self._workers)
        async with httpx.AsyncClient(timeout=30, limits=limits) as client:
            await asyncio.gather(*(self._worker(client, number) for number in range(self._workers)))
            for person in range(self._people):
                await self._until_acknowledged(client, person, self._introduction(person))
        return self.sent

    async def _worker(self, client: httpx.AsyncClient, worker: int) -> None:
        number = 0
        while not self._stop.is_set():
            person = self._random.randrange(self._people)
            events = [self._event(person, worker, number + n) for n in range(self._random.choice((1, 1, 3, 20)))]
            number += len(events)
            await self._until_acknowledged(client, person, events)

    def _event(self, person: int, worker: int, number: int) -> dict[str, Any]:
        """Anonymous on one of two devices, or named: what unites the two devices with the person."""
        device = f"device-{person}-{self._random.randrange(2)}"
        named = self._random.random() < 0.5
        base = {"messageId": f"m-{worker}-{number}", "anonymousId": device}
        if named and self._random.random() < 0.3:
            traits = {"email": f"person{person}@example.vn", "seen": number}
            return {**base, "type": "identify", "userId": f"user-{person}", "traits": traits}
        user = {"userId": f"user-{person}"} if named else {}
        return {**base, **user, "type": "track", "event": "Item Viewed", "properties": {"n": number, **self._text}}

    def _introduction(self, person: int) -> list[dict[str, Any]]:
        """Both devices with the name, at last, so that nobody is left who never said who they are."""
        user = {"type": "identify", "userId": f"user-{person}"}
        devices = [f"device-{person}-{number}" for number in range(2)]
        return [{**user, "messageId": f"last-{device}", "anonymousId": device} for device in devices]

    async def _until_acknowledged(self, client: httpx.AsyncClient, person: int, events: list[dict[str, Any]]) -> None:
        wait = 0.02
        while True:
            began = time.monotonic()
            try:
                observer = self._random.choice(self._urls)
                answer = await client.post(f"{observer}/v1/batch", json={"batch": events}, auth=self._auth)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 200 and answer.json()["accepted"] == len(events):
                self.sent.took.append(time.monotonic() - began)
                self.sent.acknowledged.update(event["messageId"] for event in events)
                self.sent.per_person[f"user-{person}"] += len(events)
                return
            if answer is not None and answer.status_code not in (429, 503):
                self.sent.unexpected.append(f"{answer.status_code} {answer.text[:200]}")
                return
            self.sent.retries += 1
            await asyncio.sleep(wait)
            wait = min(0.5, wait * 2)


async def enough(client: RetryingClient, events: int) -> None:
    """Wait until more than so many are acknowledged: a smaller load would not mean anything."""
    async with asyncio.timeout(90):
        while len(client.sent.acknowledged) <= events:
            await asyncio.sleep(0.05)
