"""For moves from one database to another on the same log: observers under load, and what others were told."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx

from leocdp.adapters.engines import open_profile_reader
from leocdp.adapters.kafka.event_log import KafkaEventLog
from leocdp.contracts.config_entries import ConfigEntry
from leocdp.contracts.topics import PROCESSOR_GROUP, PROFILES_CHANGED, SEGMENTS_MEMBERSHIP
from leocdp.ports.config_view import publish_entry
from leocdp.ports.profile_reader import Counts
from leocdp_processor.environment import Environment
from leocdp_processor.settings import ProcessorSettings
from tests.deploy.backup_site import Site
from tests.faults.client import RetryingClient
from tests.faults.event_load import worked_off
from tests.faults.reconcile import ReaderSettings
from tests.faults.stack import WRITE_KEY, wait_for
from tests.ports import free_ports

PEOPLE = 24
WORKERS = 2
PACE = 0.15
"""Seconds between two requests of a worker: the stand-in for the database is slower than what it stands for."""
SEGMENT = "sgm_seen"


class Visitors(RetryingClient):
    """People with one device each, so that all of a person is in one partition, whose order every reading keeps."""

    def __init__(self, url: str) -> None:
        super().__init__(url, WRITE_KEY, seed=5, people=PEOPLE, workers=WORKERS)
        self.saw: set[int] = set()
        """Who has done what the segment asks for."""

    def _event(self, person: int, worker: int, number: int) -> dict[str, Any]:
        base = {"messageId": f"m-{worker}-{number}", "anonymousId": f"device-{person}", "userId": f"user-{person}"}
        if number % 5 == 0:
            return {**base, "type": "identify", "traits": {"email": f"person{person}@example.vn", "seen": number}}
        self.saw.add(person)
        return {**base, "type": "track", "event": "Item Viewed", "properties": {"n": number}}

    def _introduction(self, person: int) -> list[dict[str, Any]]:
        return [{**super()._introduction(person)[0], "anonymousId": f"device-{person}"}]

    async def _until_acknowledged(self, client: httpx.AsyncClient, person: int, events: list[dict[str, Any]]) -> None:
        await super()._until_acknowledged(client, person, events)
        await asyncio.sleep(PACE)


async def configure(log: KafkaEventLog) -> None:
    """A source, and a segment that people enter once and for all."""
    source = {"id": "shop", "name": "Shop", "kind": "server", "write_key": WRITE_KEY}
    now = time.time_ns() // 1_000_000
    await publish_entry(log, ConfigEntry(kind="source", id="shop", version=1, at=now, data=source))
    condition = {"event": "Item Viewed", "within": "30d"}
    segment = {"id": SEGMENT, "name": "Seen", "current": {"version": 1, "condition": condition}}
    await publish_entry(log, ConfigEntry(kind="segment", id=SEGMENT, version=1, at=now, data=segment))


@contextmanager
def observers(count: int, folder: Path, log: Mapping[str, str]) -> Iterator[str]:
    """Their addresses, with commas between them; ready."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LEOCDP_")}
    ports = free_ports(count)
    running = []
    outputs = [folder / f"observer-{number}.log" for number in range(count)]

    def ready(port: int) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    try:
        for port, output in zip(ports, outputs, strict=True):
            env = {**clean, **log, "LEOCDP_OBSERVER_PORT": str(port), "LEOCDP_DATA_DIR": str(folder)}
            with output.open("wb") as stream:
                command = [sys.executable, "-m", "leocdp_observer"]
                running.append(subprocess.Popen(command, env=env, stdout=stream, stderr=stream))
        wait_for(lambda: all(map(ready, ports)), 90, lambda: "\n".join(each.read_text() for each in outputs))
        yield ",".join(f"http://127.0.0.1:{port}" for port in ports)
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.wait()


def reader_settings(site: Site) -> ReaderSettings:
    return ReaderSettings(store_url=site.settings().store_url, store_password=site.settings().store_password)


async def digest_of(settings: ReaderSettings) -> tuple[str, Counts]:
    reader = open_profile_reader(settings)
    await reader.start()
    try:
        return await reader.digest(), await reader.counts()
    finally:
        await reader.close()


@asynccontextmanager
async def from_the_beginning(url: str, log: KafkaEventLog, folder: Path) -> AsyncIterator[ReaderSettings]:
    """One processor has read the whole log into an empty store."""
    environment = Environment(ProcessorSettings(data_dir=folder, log_url=url, log_session_timeout=6))
    async with environment.running():
        await worked_off(log, environment.store, 120, lambda: "the whole log is not read")
    yield ReaderSettings(data_dir=folder)


async def told(log: KafkaEventLog) -> dict[str, list[dict[str, Any]]]:
    """What others were told until now: id → all records with it, in their order."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for topic in (PROFILES_CHANGED, SEGMENTS_MEMBERSHIP):
        for partition in range(await log.partitions(topic)):
            offset = 0
            while records := await log.read(topic, partition, offset, max_records=1_000):
                offset = records[-1].offset + 1
                for record in records:
                    fact = json.loads(record.value or b"")
                    found[fact["id"]].append(fact)
    return found


async def settled(log: KafkaEventLog) -> None:
    """Until processors that can work on no longer have made visible how far they have come, which takes a second."""
    deadline = time.monotonic() + 60
    last, since = await log.group_positions(PROCESSOR_GROUP), time.monotonic()
    while time.monotonic() - since < 2.5:
        assert time.monotonic() < deadline, "somebody goes on"
        found = await log.group_positions(PROCESSOR_GROUP)
        if found != last:
            last, since = found, time.monotonic()
        await asyncio.sleep(0.1)
