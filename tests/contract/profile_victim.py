"""A program that dies by SIGKILL at a place around a commit: ``profile_victim.py <profiles.db> <place>``.

It commits one person, prints a line, and then dies while it commits a second one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from leocdp.domain.decisions import Changes
from tests.contract.builders import T0, announcement, applied, event, move, person, profile_id, together


class Die:
    """Fault hook that kills its own process the second time it comes to ``place``."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._passed = 0

    def before_commit(self) -> None:
        self._at("before")

    def after_commit(self) -> None:
        self._at("after")

    def _at(self, place: str) -> None:
        if place == self._place:
            self._passed += 1
            if self._passed == 2:
                os.kill(os.getpid(), signal.SIGKILL)


def everything(number: int) -> Changes:
    own = profile_id(number)
    changes = together(
        person(number, f"user_id:u-{number}", name="Lan"), applied(own, event(f"m-{number}", T0 + number))
    )
    changes.outbox.append(announcement(number))
    return changes


async def main(path: Path, place: str) -> None:
    store = SQLiteProfileStore(path, faults=Die(place))
    await store.start()
    await store.commit(everything(1), [move(None, 1)], T0)
    print("committed", flush=True)
    await store.commit(everything(2), [move(1, 2)], T0)
    print("not reached", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
