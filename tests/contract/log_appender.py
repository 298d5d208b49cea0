"""Another process that appends to a log: ``python log_appender.py LOG_URL burst NAME COUNT`` or ``… on-demand``.

``burst`` appends COUNT records (or for ever, with 0) from eight tasks and writes a line ``partition offset text`` for
each one that the log has acknowledged. ``on-demand`` appends one record per line of standard input, whose value is the
time in nanoseconds at which the append began.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time

from leocdp.adapters.engines import open_event_log
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.kit.settings import LogSettings, ServiceSettings
from leocdp.ports.event_log import EventLog, NewRecord

PARTITIONS = 4


class Settings(ServiceSettings, LogSettings):
    pass


async def burst(log: EventLog, name: str, count: int) -> None:
    numbers = iter(range(count)) if count else itertools.count()

    async def worker() -> None:
        for number in numbers:
            text = f"{name}-{number}"
            partition = number % PARTITIONS
            record = NewRecord(EVENTS_ACCEPTED, partition, text.encode().ljust(300, b"."))
            (offset,) = await log.append([record])
            sys.stdout.write(f"{partition} {offset} {text}\n")
            sys.stdout.flush()

    await asyncio.gather(*(worker() for _ in range(8)))


async def on_demand(log: EventLog) -> None:
    loop = asyncio.get_running_loop()
    print("ready", flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        await log.append([NewRecord(EVENTS_ACCEPTED, 0, str(time.time_ns()).encode())])


async def main(url: str, mode: str, *arguments: str) -> None:
    log = open_event_log(Settings(log_url=url))
    await log.start()
    if mode == "burst":
        await burst(log, arguments[0], int(arguments[1]))
    else:
        await on_demand(log)
    await log.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
