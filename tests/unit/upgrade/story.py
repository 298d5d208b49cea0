"""A small history of everything that is stored and sent, and what the readers say of it afterwards.

The same history is played for every recording, so that two of them differ only in what the program does differently.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from leocdp.contracts.config_entries import ConfigEntry
from leocdp.contracts.log_records import (
    VERSION,
    AcceptedRecord,
    Item,
    RejectedItem,
    RejectedRecord,
    RequestBlock,
    encode,
)
from leocdp.contracts.topics import EVENTS_ACCEPTED, EVENTS_REJECTED, TOPICS
from leocdp.domain.identity.identifiers import parse_key
from leocdp.ports.config_view import publish_entry
from leocdp.ports.event_log import EventLog, NewRecord, Record
from leocdp.ports.profile_reader import EventQuery, ProfileQuery, ProfileReader
from tests.unit.processor.driving import Running, running, track, until

SECRET: Final = "a secret of more than thirty-two characters"
SEGMENT: Final = {
    "id": "sgm_buyers",
    "name": "Buyers",
    "current": {"version": 1, "condition": {"event": "Order Completed", "within": "3650d"}},
}
TRAIT: Final = {
    "id": "ctr_spent",
    "trait": "spent",
    "definition": {"event": "Order Completed", "fn": "sum", "property": "total"},
}
LIST: Final = {"id": "lst_vip", "name": "VIP"}
SOURCE: Final = {"id": "src_web", "name": "Website", "kind": "browser", "write_key": "wk_recorded"}
COMMANDS: Final = tuple(f"cmd_story_{number}" for number in range(1, 9))
EVENTS: Final = 10
"""How many of the items below are applied and not erased afterwards."""

LAN: Final = {"userId": "u-lan", "anonymousId": "a-lan"}
MINH: Final = {"userId": "u-minh", "anonymousId": "a-minh"}


def _identify(message: str, person: dict[str, str], **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "messageId": message, **person, "traits": traits}


ITEMS: Final[tuple[dict[str, Any] | bytes, ...]] = (
    {"type": "page", "messageId": "m-1", "anonymousId": "a-lan", "name": "Home", "properties": {"path": "/"}},
    _identify("m-2", LAN, email="lan@example.vn", phone="+84901234567", name="Lan Nguyễn", age=31),
    track("m-3", "Order Completed", **LAN, properties={"total": 120.5, "currency": "VND", "items": [1, 2]}),
    track("m-4", "Product Viewed", **LAN, context={"locale": "vi-VN", "campaign": {"source": "mail"}}),
    _identify("m-5", MINH, email="minh@example.vn", name="Minh"),
    track("m-6", "Order Completed", **MINH, properties={"total": 80}),
    {"type": "group", "messageId": "m-7", **MINH, "groupId": "g-1", "traits": {"plan": "pro"}},
    {"type": "screen", "messageId": "m-8", "anonymousId": "a-other", "name": "Start"},
    track("m-9", "Signed Up", userId="u-other", email="other@example.vn"),
    _identify("m-10", {"userId": "u-gone"}, email="gone@example.vn"),
    track("m-3", "Order Completed", **LAN, properties={"total": 120.5}),
    b'{"broken": ',
    track("m-11", "Product Viewed", userId="u-twin"),
)


def accepted(now: int) -> bytes:
    """A record with every field of a block in use."""
    items = [Item(one.get("type", ""), json.dumps(one).encode()) if isinstance(one, dict) else Item("track", one)
             for one in ITEMS]  # fmt: skip
    whole = RequestBlock(
        now,
        "src_web",
        "segment",
        items,
        sent_at="2026-01-31T08:00:00.000Z",
        context=b'{"library":{"name":"analytics.js"}}',
        integrations=b'{"All":true}',
        ip="203.0.113.0",
        user_agent="Mozilla/5.0",
        authenticated=True,
        id_space="",
        shared_device=False,
    )
    return encode(AcceptedRecord(VERSION, [whole]))


def rejected(now: int) -> bytes:
    item = RejectedItem(
        *(now, "src_web", "segment", "/v1/batch", "missing_event", "event must be there.", '{"type":"track"}'),
        *("m-rejected", "track", 3, 16, "", "203.0.113.0", "Named"),
    )
    return encode(RejectedRecord(VERSION, [item]))


async def play(data_dir: Path, **settings: Any) -> tuple[dict[str, Any], list[Record]]:
    """Everything that the reader says afterwards, and every record of the log."""
    async with running(data_dir, erasure_key=SECRET, **settings) as processor:
        await _configure(processor)
        await _events(processor)
        await _actions(processor)
        await _all_published(processor)
        return await meaning(processor.reader), await records(processor.environment.log)


async def _configure(processor: Running) -> None:
    log, now = processor.environment.log, processor.now()
    contents: dict[str, dict[str, Any]] = {"source": SOURCE, "segment": SEGMENT, "computed_trait": TRAIT, "list": LIST}
    for kind, data in contents.items():
        await publish_entry(log, ConfigEntry(kind=kind, id=str(data["id"]), version=1, at=now, data=data))
    gone = ConfigEntry(kind="source", id="src_gone", version=2, at=now, deleted=True)
    await publish_entry(log, gone)

    async def known() -> bool:
        return processor.environment.catalogue.current.generation >= now

    await until(known)


async def _events(processor: Running) -> None:
    log, now = processor.environment.log, processor.now()
    await log.append([NewRecord(EVENTS_REJECTED, 0, rejected(now))])
    await log.append([NewRecord(EVENTS_ACCEPTED, 0, accepted(now))])
    await processor.counted(lambda counts: counts.events >= EVENTS + 1 and counts.rejected == 1)


async def _actions(processor: Running) -> None:
    ids = {}
    for user in ("lan", "minh", "other", "twin", "gone"):
        found = await processor.reader.find(parse_key(f"user_id:u-{user}"))
        assert found is not None, user
        ids[user] = found.root
    names = iter(COMMANDS)
    purposes = {"marketing": "granted", "analytics": "denied"}
    outcomes = [
        await processor.command("consent", next(names), profile=ids["lan"], consents=purposes),
        await processor.command("label", next(names), profile=ids["lan"], labels=["gold"]),
        await processor.command("list_add", next(names), list="lst_vip", identifiers=["email:minh@example.vn"]),
        await processor.command("merge", next(names), profile=ids["minh"], **{"with": ids["twin"]}),
        await processor.command("merge", next(names), profile=ids["lan"], **{"with": ids["other"]}),
    ]
    merge = outcomes[-1].result["merge_id"]
    outcomes += [
        await processor.command("unmerge", next(names), merge_id=merge, identifier="keep"),
        await processor.command("erase", next(names), profile=ids["gone"]),
    ]
    assert {one.state for one in outcomes} == {"applied"}, outcomes
    refused = await processor.command("merge", next(names), profile=ids["lan"], **{"with": "prf_nobody"})
    assert refused.state == "refused"


async def _all_published(processor: Running) -> None:
    store = processor.environment.store

    async def nothing_waits() -> bool:
        generation = processor.environment.catalogue.current.generation
        behind = await processor.reader.people_behind(generation)
        return not behind and not await store.pending_outbox(1)

    await until(nothing_waits)


async def meaning(reader: ProfileReader) -> dict[str, Any]:
    """Everything that people and other systems are told, in an order that says nothing."""
    hits = (await reader.search(ProfileQuery(limit=100))).data
    people = {hit.id: await _person(reader, hit.id) for hit in sorted(hits, key=lambda hit: hit.id)}
    problems = (await reader.problem_events(limit=100)).data
    told = {
        "counts": await reader.counts(),
        "hits": {hit.id: hit for hit in hits},
        "people": people,
        "found": {key: await _found(reader, key) for key in ("email:lan@example.vn", "anonymous_id:a-minh")},
        "problems": sorted(problems, key=lambda one: one.reason),
        "catalogue": sorted(await reader.catalogue(), key=lambda one: (one.type, one.name)),
        "commands": {id: await reader.command(id) for id in COMMANDS},
        "members": sorted(await reader.member_ids("sgm_buyers:1", after=None, limit=100)),
        "searched": sorted(hit.id for hit in (await reader.search(ProfileQuery(q="lan"))).data),
        "labelled": sorted(hit.id for hit in (await reader.search(ProfileQuery(label="gold"))).data),
        "event": await reader.event_by_message(["src_web"], "m-3"),
        "positions": {f"{topic}/{number}": at for (topic, number), at in (await reader.positions()).items()},
    }
    said: dict[str, Any] = plain(told)
    return said


async def _person(reader: ProfileReader, id: str) -> dict[str, Any]:
    leaves = await reader.leaves(id)
    ids = [leaf.id for leaf in leaves]
    events = (await reader.events(ids, EventQuery(limit=100))).data
    history = await reader.identity_history(ids)
    return {
        "leaves": {leaf.id: asdict_profile(leaf) for leaf in leaves},
        "events": sorted(events, key=lambda one: one.message_id),
        "merges": sorted(history.merges, key=lambda one: one.id),
        "switches": sorted(history.switches, key=lambda one: one.id),
        "refusals": sorted(history.refusals, key=lambda one: one.id),
    }


def asdict_profile(profile: Any) -> dict[str, Any]:
    """Without the revision, which a migration may move on."""
    told = plain(profile)
    told.pop("revision", None)
    return dict(told)


async def _found(reader: ProfileReader, key: str) -> str | None:
    found = await reader.find(parse_key(key))
    return None if found is None else found.root


def plain(value: Any) -> Any:
    return json.loads(msgspec.json.encode(value, enc_hook=str))


async def records(log: EventLog) -> list[Record]:
    found: list[Record] = []
    for spec in TOPICS:
        for partition in range(await log.partitions(spec.name)):
            found += await log.read(spec.name, partition, 0, max_records=1_000)
    return found
