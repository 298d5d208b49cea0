"""The event log: whether it can be reached and lets us in. Stores are asked for their formats, which tells the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from leocdp.adapters.engines import EngineUnknown, open_event_log
from leocdp.kit.errors import LeoError
from leocdp.kit.settings import sqlite_path
from leocdp_cli import stores
from leocdp_cli.diagnosis.finding import Finding

SECONDS = 20.0
"""So long the log may take to answer."""


def connections() -> Iterator[Finding]:
    settings = stores.StoresSettings().model_copy(update={"log_create_topics": False})
    what = "event log"
    try:
        if not settings.log_url.startswith("kafka://"):
            path = sqlite_path(settings.log_url, settings.data_dir / "log.db")
            if not path.exists():
                yield Finding(what, True, f"nothing there yet: {path}")
                return
        asyncio.run(asyncio.wait_for(_reach(settings), SECONDS))
    except (LeoError, EngineUnknown, ValueError) as error:
        yield Finding(what, False, str(error))
    except TimeoutError:
        yield Finding(what, False, f"it has not answered within {SECONDS:.0f} seconds: check LEOCDP_LOG_URL")
    else:
        yield Finding(what, True, "it answers and has its topics")


async def _reach(settings: stores.StoresSettings) -> None:
    log = open_event_log(settings)
    try:
        await log.start()
    finally:
        await log.close()
