"""A program that dies by SIGKILL while it erases somebody: ``erasure_victim.py <profiles.db> <before|after>``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from tests.contract.builders import T0, applied, event, move, person, profile_id, together
from tests.contract.profile_erasure import erasure, no_mention, of
from tests.contract.profile_victim import Die


async def main(path: Path, place: str) -> None:
    store = SQLiteProfileStore(path, faults=Die(place))
    await store.start()
    both = together(person(1, "user_id:u-1"), applied(profile_id(1), event("m-1")))
    await store.commit(both, [move(None, 1)], T0)
    print("committed", flush=True)
    await store.erase(erasure(*await of(store, profile_id(1))), no_mention)
    print("not reached", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
