"""Segments in a running processor: definitions from the configuration topic, facts on their topic, a replay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from leocdp.contracts.config_entries import ConfigEntry
from leocdp.contracts.topics import SEGMENTS_MEMBERSHIP
from leocdp.ports.config_view import publish_entry
from tests.unit.processor.driving import Running, running, track, until
from tests.unit.processor.replaying import profile_of, published, rebuilt, visible

BUYERS = {"version": 1, "condition": {"event": "Order Completed", "within": "30d"}}
QUIET = {"version": 1, "condition": {"event": "Viewed", "count": {"is": "eq", "value": 0}}}


async def define(processor: Running, version: int, id: str = "sgm_buyers", **data: Any) -> None:
    entry = ConfigEntry(kind="segment", id=id, version=version, at=processor.now(), data={"id": id, "name": id, **data})
    await publish_entry(processor.environment.log, entry)
    catalogue = processor.environment.catalogue

    async def known() -> bool:
        return catalogue.current.generation >= entry.at

    await until(known)


async def told(processor: Running) -> list[dict[str, Any]]:
    log = processor.environment.log
    found = [await log.read(SEGMENTS_MEMBERSHIP, n, 0) for n in range(await log.partitions(SEGMENTS_MEMBERSHIP))]
    return [json.loads(record.value or b"") for records in found for record in records]


async def members(processor: Running, key: str = "sgm_buyers:1") -> set[str]:
    return {one for one, _ in await processor.reader.member_ids(key, after=None, limit=1_000)}


async def test_an_event_is_told_with_the_segment_and_its_version(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await define(processor, 1, current=BUYERS)
        await processor.send(track("m1", "Order Completed", userId="u1"))
        await processor.counted(lambda counts: counts.events == 1)
        await published(processor)
        [fact] = await told(processor)
        person = await profile_of(processor, "user_id:u1")
        assert fact.pop("id").startswith("out_")
        assert fact.pop("occurred_at").endswith("Z")
        assert fact == {
            "kind": "segment_entered",
            "profile_id": person,
            "all_ids": [person],
            "version": 1,
            "cause": "event",
            "segment_id": "sgm_buyers",
            "segment_version": 1,
            "change": "entered",
        }
        assert await members(processor) == {person}


async def test_people_are_brought_up_to_a_new_definition(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await processor.send(*(track(f"m{n}", "Order Completed", userId=f"u{n}") for n in range(30)))
        await processor.counted(lambda counts: counts.events == 30)
        await define(processor, 1, next=BUYERS)

        async def all_in() -> bool:
            return len(await members(processor)) == 30

        await until(all_in)
        assert await processor.reader.people_behind(processor.environment.catalogue.current.generation) == 0
        assert await told(processor) == []
        await define(processor, 2, current=BUYERS)

        async def all_told() -> bool:
            return len(await told(processor)) == 30

        await until(all_told)
        assert {fact["cause"] for fact in await told(processor)} == {"backfill"}


async def test_a_definition_that_is_not_valid_changes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await define(processor, 1, current=BUYERS)
        await define(processor, 2, current={"version": 2, "condition": {"event": 7}})
        await processor.send(track("m1", "Order Completed", userId="u1"))
        await processor.counted(lambda counts: counts.events == 1)
        assert len(await members(processor)) == 1
    async with running(tmp_path) as processor:  # now nobody knows the former one, and whoever is in stays in
        await processor.send(track("m2", "Viewed", userId="u1"))
        await processor.counted(lambda counts: counts.events == 2)
        assert len(await members(processor)) == 1


async def test_the_log_read_again_gives_the_same_members_and_tells_nobody(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await define(processor, 1, current=BUYERS)
        await define(processor, 1, "sgm_quiet", current=QUIET)
        await define(processor, 1, "sgm_list", current={"version": 1, "condition": {"list": "lst_1", "is": "in"}})
        for number in range(12):
            await processor.send(track(f"m{number}", "Order Completed", userId=f"u{number}"), partition=number % 5)
            await processor.send(track(f"v{number}", userId=f"u{number % 5}"), partition=number % 3)
        await processor.counted(lambda counts: counts.events == 24)
        one, two = [await profile_of(processor, f"user_id:u{n}") for n in (1, 7)]
        merged = await processor.command("merge", "cmd_1", profile=one, **{"with": two})
        await processor.command("list_add", "cmd_2", list="lst_1", identifiers=["user_id:u7", "user_id:u3"])
        await processor.command("unmerge", "cmd_3", merge_id=merged.result["merge_id"], identifier="keep")

        async def all_quiet() -> bool:
            return len(await members(processor, "sgm_quiet:1")) == 7

        await until(all_quiet)
        keys = ("sgm_buyers:1", "sgm_quiet:1", "sgm_list:1")
        before = [await members(processor, key) for key in keys]
        assert [len(one) for one in before] == [12, 7, 2]
        await visible(processor)
        await published(processor)
        ids = {fact["id"] for fact in await told(processor)}
    async with rebuilt(tmp_path) as processor:

        async def same() -> bool:
            return [await members(processor, key) for key in keys] == before

        await until(same)
        await published(processor)
        again = [fact for fact in await told(processor) if fact["id"] not in ids]
        assert {fact["cause"] for fact in again} <= {"replay", "unmerge"}
        assert any(fact["cause"] == "replay" for fact in again)


async def test_an_erased_person_leaves_without_a_word(tmp_path: Path) -> None:
    async with running(tmp_path, erasure_key="a secret of more than thirty-two characters") as processor:
        await define(processor, 1, current=BUYERS)
        await processor.send(*(track(f"m{n}", "Order Completed", userId=f"u{n}") for n in range(2)))
        await processor.counted(lambda counts: counts.events == 2)
        gone, stays = [await profile_of(processor, f"user_id:u{n}") for n in range(2)]
        await published(processor)
        outcome = await processor.command("erase", "cmd_1", profile=gone)
        assert outcome.state == "applied"
        assert await members(processor) == {stays}
        assert await processor.reader.member_count("sgm_buyers:1") == 1
        await define(processor, 2, current=BUYERS, state="archived")

        async def all_out() -> bool:
            return not await members(processor)

        await until(all_out)
        await published(processor)
        assert [fact["profile_id"] for fact in await told(processor) if fact["kind"] == "segment_left"] == [stays]


async def test_a_removed_source_takes_its_people_out(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await define(processor, 1, current=BUYERS)
        await processor.send(track("m1", "Order Completed", userId="u1"), source="demo")
        await processor.send(track("m2", "Order Completed", userId="u2"))
        await processor.counted(lambda counts: counts.events == 2)
        assert len(await members(processor)) == 2
        outcome = await processor.command("remove_source", "cmd_1", source="demo")
        assert outcome.result["profiles"] == 1
        assert await members(processor) == {await profile_of(processor, "user_id:u2")}
