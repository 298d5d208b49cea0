"""A processor on embedded files of its own, driven through its real log and read through the real reader."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leocdp.adapters.engines import open_profile_reader
from leocdp.contracts.commands import CommandKind, CommandRecord, encode_command
from leocdp.contracts.log_records import VERSION, AcceptedRecord, Item, RequestBlock, encode
from leocdp.contracts.topics import COMMANDS, EVENTS_ACCEPTED
from leocdp.domain.decisions import CommandOutcome
from leocdp.ports.event_log import NewRecord
from leocdp.ports.profile_reader import Counts, ProfileReader
from leocdp_processor.environment import Environment
from leocdp_processor.settings import ProcessorSettings


@dataclass
class Running:
    environment: Environment
    reader: ProfileReader

    @staticmethod
    def now() -> int:
        return int(time.time() * 1000)

    async def send(
        self,
        *bodies: Mapping[str, Any] | bytes,
        partition: int = 0,
        source: str = "shop",
        at: int | None = None,
    ) -> None:
        """Append items to the accepted topic as one record, as an observer does; ``at``: received earlier than now."""
        items = [item(body) for body in bodies]
        block = RequestBlock(at or self.now(), source, "segment", items, authenticated=True)
        value = encode(AcceptedRecord(VERSION, [block]))
        await self.environment.log.append([NewRecord(EVENTS_ACCEPTED, partition, value)])

    async def command(self, kind: CommandKind, id: str, **content: Any) -> CommandOutcome:
        """Append a command and wait for its outcome."""
        record = CommandRecord(id=id, kind=kind, actor="usr_test", at=self.now(), content=content)
        await self.environment.log.append([NewRecord(COMMANDS, 0, encode_command(record))])
        found: list[CommandOutcome] = []

        async def answered() -> bool:
            outcome = await self.reader.command(id)
            found.extend([outcome] if outcome else [])
            return outcome is not None

        await until(answered)
        return found[0]

    async def counted(self, holds: Callable[[Counts], bool]) -> Counts:
        """Wait until the counts satisfy the condition, and return these."""
        found: list[Counts] = []

        async def right() -> bool:
            found.append(await self.reader.counts())
            return holds(found[-1])

        await until(right)
        return found[-1]


def item(body: Mapping[str, Any] | bytes) -> Item:
    if isinstance(body, bytes):
        return Item("track", body)
    return Item(str(body["type"]), json.dumps(body).encode())


def track(message: str, name: str = "Viewed", **fields: Any) -> dict[str, Any]:
    return {"type": "track", "messageId": message, "event": name, "properties": {}, **fields}


@asynccontextmanager
async def running(data_dir: Path, **settings: Any) -> AsyncIterator[Running]:
    environment = Environment(ProcessorSettings(data_dir=data_dir, **settings))
    async with environment.running():
        reader = open_profile_reader(environment.settings)
        await reader.start()
        try:
            yield Running(environment, reader)
        finally:
            await reader.close()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "waited too long"
        await asyncio.sleep(0.02)
