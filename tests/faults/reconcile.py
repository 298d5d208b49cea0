"""Afterwards: stored is what was acknowledged, each once, and each person counts exactly theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set

import httpx

from leocdp.adapters.engines import open_profile_reader
from leocdp.domain.identity.identifiers import parse_key
from leocdp.kit.settings import ServiceSettings, StoreSettings
from leocdp.ports.profile_reader import Counts, EventQuery, ProfileReader
from tests.faults.client import Sent
from tests.faults.stack import Stack


class ReaderSettings(ServiceSettings, StoreSettings):
    pass


def lag(stack: Stack) -> int:
    """Records without an outcome; -1 while nobody can tell."""
    try:
        with stack.api() as api:
            answer = api.get("/status")
    except httpx.TransportError:
        return -1
    if answer.status_code != 200:
        return -1
    waiting = answer.json()["lag"]
    return -1 if waiting is None else int(waiting)


async def reconcile(stack: Stack, sent: Sent, people: int, store: ReaderSettings | None = None) -> None:
    """Stored events are exactly the acknowledged ones, and each person counts exactly theirs."""
    users = [f"user-{number}" for number in range(people)]
    await reconcile_store(store or ReaderSettings(data_dir=stack.data_dir), sent.acknowledged, users)


async def reconcile_store(
    settings: ReaderSettings, acknowledged: Set[str], users: Sequence[str], *, dead_letters: int = 0
) -> Counts:
    """The same where a test has put the events into the log itself. ``users``: the user id of every person."""
    reader = open_profile_reader(settings)
    await reader.start()
    try:
        counts = await reader.counts()
        assert counts.events == len(acknowledged)
        assert counts.dead_letters == dead_letters
        stored: Counter[str] = Counter()
        for user in users:
            total, ids = await _person(reader, user)
            assert total == len(ids), f"{user} counts {total}, but has {len(ids)} events"
            stored.update(ids)
        assert set(stored) == acknowledged
        assert set(stored.values()) == {1}
        assert counts.people == len(users)
        # For docs/reliability.md: pytest -s shows it.
        print(f"reconciled: {len(acknowledged)} events of {len(users)} people, {counts.duplicates} sent twice")
        return counts
    finally:
        await reader.close()


async def _person(reader: ProfileReader, user: str) -> tuple[int, list[str]]:
    """(events counted on the profile, message ids of the stored events)."""
    root = await reader.find(parse_key(f"user_id:{user}"))
    assert root is not None, f"{user} is lost"
    ids: list[str] = []
    cursor = None
    while True:
        page = await reader.events(root.leaf_ids, EventQuery(limit=200, cursor=cursor))
        ids.extend(event.message_id for event in page.data)
        cursor = page.next
        if cursor is None:
            return root.folded.total, ids
