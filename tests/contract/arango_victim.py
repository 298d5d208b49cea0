"""A program that is to be killed while it commits: ``arango_victim.py <url> <database> <user>``, PASSWORD beside it.

It commits one person, prints a line, and commits a second one.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.profile_store import ArangoProfileStore
from tests.contract.builders import T0, move, person


async def main(url: str, database: str, user: str) -> None:
    store = ArangoProfileStore(Connection((url,), database, user, os.environ["PASSWORD"]))
    await store.start()
    await store.commit(person(1), [move(None, 1)], T0)
    print("committed", flush=True)
    await store.commit(person(2), [move(1, 2)], T0)
    print("not reached", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
