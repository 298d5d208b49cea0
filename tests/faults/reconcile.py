"""Afterwards: stored is what was acknowledged, each once, and each person counts exactly theirs."""

from __future__ import annotations

from collections import Counter

from leocdp.adapters.engines import open_profile_reader
from leocdp.domain.identity.identifiers import parse_key
from leocdp.kit.settings import ServiceSettings, StoreSettings
from leocdp.ports.profile_reader import EventQuery, ProfileReader
from tests.faults.client import Sent
from tests.faults.stack import Stack


class ReaderSettings(ServiceSettings, StoreSettings):
    pass


def lag(stack: Stack) -> int:
    """Records without an outcome; -1 while nobody can tell."""
    with stack.api() as api:
        answer = api.get("/status")
        return int(answer.json()["lag"]) if answer.status_code == 200 else -1


async def reconcile(stack: Stack, sent: Sent, people: int, store: ReaderSettings | None = None) -> None:
    """Stored events are exactly the acknowledged ones, and each person counts exactly theirs."""
    reader = open_profile_reader(store or ReaderSettings(data_dir=stack.data_dir))
    await reader.start()
    try:
        counts = await reader.counts()
        assert counts.events == len(sent.acknowledged)
        assert counts.dead_letters == 0
        stored: Counter[str] = Counter()
        for number in range(people):
            total, ids = await _person(reader, f"user-{number}")
            assert total == len(ids), f"user-{number} counts {total}, but has {len(ids)} events"
            stored.update(ids)
        assert set(stored) == sent.acknowledged
        assert set(stored.values()) == {1}
        assert counts.people == people
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
