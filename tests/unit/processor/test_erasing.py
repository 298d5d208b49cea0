"""People are erased on the embedded engine: at once, late, twice, by hashes, and nobody else with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leocdp.contracts.topics import PROFILES_CHANGED
from leocdp.domain.identity.identifiers import parse_key
from leocdp.domain.privacy.ledger import ErasureKey
from tests.unit.processor.driving import Running, running, track, until

SECRET = "a secret of more than thirty-two characters"
KEY = ErasureKey(SECRET.encode())


def identify(message: str, **fields: Any) -> dict[str, Any]:
    return {"type": "identify", "messageId": message, **fields}


async def profile_of(processor: Running, key: str) -> str:
    found = await processor.reader.find(parse_key(key))
    assert found is not None, key
    return found.id


async def unknown(processor: Running, *keys: str) -> bool:
    return not any([await processor.reader.find(parse_key(key)) for key in keys])


async def announced(processor: Running) -> list[dict[str, Any]]:
    log = processor.environment.log
    found = [await log.read(PROFILES_CHANGED, n, 0) for n in range(await log.partitions(PROFILES_CHANGED))]
    return [json.loads(record.value or b"") for records in found for record in records]


async def test_a_person_is_erased_with_a_receipt(tmp_path: Path) -> None:
    async with running(tmp_path, erasure_key=SECRET, backup_retention_days=10) as processor:
        await processor.send(
            identify("m1", userId="lan-1", anonymousId="a1", traits={"email": "lan@x.vn"}), track("m2", userId="lan-1")
        )
        await processor.send(track("m3", userId="mai-2"), b'{"userId": "lan-1", ')
        await processor.counted(lambda counts: counts.events == 3 and counts.dead_letters == 1)
        lan = await profile_of(processor, "user_id:lan-1")
        outcome = await processor.command("erase", "cmd_1", profile=lan)
        assert outcome.state == "applied"
        counts = ("profiles", "events", "identifiers", "problems")
        assert [outcome.result[name] for name in counts] == [1, 2, 3, 1]
        assert outcome.result["profile_ids"] == [lan]
        assert set(outcome.result["hashes"]) == {
            KEY.hash(key) for key in ("user_id:lan-1", "anonymous_id:a1", "email:lan@x.vn")
        }
        erased_on, gone_on = outcome.result["at"][:10], outcome.result["copies_until"]
        assert (await days(gone_on)) - (await days(erased_on)) == 30 + 1 + 10
        assert await unknown(processor, "user_id:lan-1", "anonymous_id:a1", "email:lan@x.vn")
        counts_now = await processor.reader.counts()
        assert (counts_now.events, counts_now.people, counts_now.dead_letters) == (1, 1, 0)

        async def told() -> bool:
            return any(one["kind"] == "profile_erased" for one in await announced(processor))

        await until(told)
        [record] = [one for one in await announced(processor) if one["kind"] == "profile_erased"]
        assert (record["profile_id"], record["all_ids"], record["changed"]) == (lan, [lan], [])


async def days(date: str) -> int:
    from datetime import date as day

    return day.fromisoformat(date).toordinal()


async def test_late_items_are_filtered_and_later_ones_are_somebody_new(tmp_path: Path) -> None:
    async with running(tmp_path, erasure_key=SECRET) as processor:
        await processor.send(track("m1", userId="lan-1", anonymousId="a1"))
        await processor.counted(lambda counts: counts.events == 1)
        lan = await profile_of(processor, "user_id:lan-1")
        before = processor.now()
        await processor.command("erase", "cmd_1", profile=lan)
        await processor.send(track("m2", userId="lan-1"), track("m3", anonymousId="a1"), at=before)
        await processor.send(track("m1", userId="lan-1", anonymousId="a1"), at=before)
        counts = await processor.counted(lambda counts: counts.filtered + counts.duplicates == 3)
        assert (counts.events, counts.filtered) == (0, 2)
        problem = await processor.reader.problem_by_message(["shop"], "m2")
        assert problem is not None
        assert (problem.outcome, problem.reason, problem.payload) == ("filtered", "erased", "")
        assert await unknown(processor, "user_id:lan-1", "anonymous_id:a1")

        await processor.send(track("m4", userId="lan-1", anonymousId="a1"))
        await processor.counted(lambda counts: counts.events == 1)
        assert await profile_of(processor, "user_id:lan-1") != lan
    async with running(tmp_path, erasure_key=SECRET) as processor:
        await processor.send(track("m5", userId="lan-1"), at=before)
        await processor.counted(lambda counts: counts.filtered == 3)


async def test_an_unknown_person_is_refused_and_a_merged_id_is_the_person(tmp_path: Path) -> None:
    async with running(tmp_path, erasure_key=SECRET) as processor:
        await processor.send(track("m1", userId="u1"))
        await processor.send(track("m2", anonymousId="a1"))
        await processor.counted(lambda counts: counts.people == 2)
        merged = await profile_of(processor, "anonymous_id:a1")
        await processor.send(track("m3", userId="u1", anonymousId="a1"))
        await processor.counted(lambda counts: counts.people == 1)
        refused = await processor.command("erase", "cmd_0", profile="prf_" + "0" * 28)
        assert (refused.state, refused.reason) == ("refused", "profile_not_found")
        assert (await processor.command("erase", "cmd_1", profile=merged)).result["profiles"] == 2
        again = await processor.command("erase", "cmd_2", profile=merged)
        assert (again.state, again.reason) == ("refused", "profile_not_found")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({}, "invalid:profile"),
        ({"profile": 7}, "invalid:content"),
        ({"hashes": {"h": [[0]]}}, "invalid:content"),
        ({"hashes": {"h": [[0, 5]]}, "key": "00000000"}, "other_erasure_key"),
    ],
)
async def test_what_cannot_be_carried_out_is_refused(tmp_path: Path, content: dict[str, Any], reason: str) -> None:
    async with running(tmp_path, erasure_key=SECRET) as processor:
        outcome = await processor.command("erase", "cmd_1", **content)
        assert (outcome.state, outcome.reason) == ("refused", reason)


async def test_without_a_secret_nobody_is_erased_and_a_lost_one_is_noticed(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await processor.send(track("m1", userId="u1"))
        await processor.counted(lambda counts: counts.events == 1)
        outcome = await processor.command("erase", "cmd_1", profile=await profile_of(processor, "user_id:u1"))
        assert outcome.reason == "no_erasure_key"
    async with running(tmp_path, erasure_key=SECRET) as processor:
        outcome = await processor.command("erase", "cmd_2", profile=await profile_of(processor, "user_id:u1"))
        assert outcome.state == "applied"
    for settings in ({}, {"erasure_key": SECRET + "!"}):
        async with running(tmp_path, **settings) as processor:

            async def says_so(processor: Running = processor) -> bool:
                return any("LEOCDP_ERASURE_KEY" in reason for reason in await processor.environment.ready())

            await until(says_so)


async def test_a_ledger_finds_the_person_whose_profile_id_is_not_known(tmp_path: Path) -> None:
    """As after a restore: the store knows them again, perhaps under another id."""
    async with running(tmp_path, erasure_key=SECRET) as processor:
        before = processor.now()
        await processor.send(track("m1", userId="lan-1", anonymousId="a1"), track("m2", userId="mai-2"))
        await processor.send(identify("m3", userId="mai-2", context={"traits": {"phone": "0901234567"}}))
        await processor.counted(lambda counts: counts.events == 3)
        at = processor.now()
        hashes = {KEY.hash(key): [[0, at]] for key in ("user_id:lan-1", "phone:+84901234567", "email:other@x.vn")}
        content = {"profile": "prf_" + "0" * 28, "hashes": hashes, "key": KEY.fingerprint, "at": at}
        outcome = await processor.command("erase", "cmd_1", **content)
        assert (outcome.result["profiles"], outcome.result["events"]) == (1, 1)
        assert set(outcome.result["hashes"]) == {*hashes, KEY.hash("anonymous_id:a1")}
        assert await unknown(processor, "user_id:lan-1", "anonymous_id:a1")
        # Mai is another person, whoever else had her number.
        assert await profile_of(processor, "phone:+84901234567") == await profile_of(processor, "user_id:mai-2")
        nobody = await processor.command("erase", "cmd_2", **content)
        assert (nobody.state, nobody.result["profiles"]) == ("applied", 0)
        await processor.send(track("m9", userId="lan-1"), at=before)
        await processor.counted(lambda counts: counts.filtered == 1)


async def test_a_family_tablet_takes_nobody_elses_events_away(tmp_path: Path) -> None:
    """Lan uses the tablet, then Hoa; Hoa is erased. What Lan did on it stays, also what comes late."""
    async with running(tmp_path, erasure_key=SECRET) as processor:
        start = processor.now() - 10_000

        async def at(second: int, *items: dict[str, Any]) -> None:
            await processor.send(*items, at=start + 1_000 * second)

        await at(0, track("m0", anonymousId="tablet"))
        await at(1, identify("m1", anonymousId="tablet", userId="lan-1", traits={"email": "lan@x.vn"}))
        await at(2, track("m2", anonymousId="tablet"))
        await at(3, identify("m3", anonymousId="tablet", userId="hoa-2", traits={"email": "hoa@x.vn"}))
        await at(4, track("m4", anonymousId="tablet"))
        await processor.counted(lambda counts: counts.events == 5)
        assert await profile_of(processor, "anonymous_id:tablet") == await profile_of(processor, "user_id:hoa-2")
        outcome = await processor.command("erase", "cmd_1", profile=await profile_of(processor, "user_id:hoa-2"))
        assert outcome.result["events"] == 2
        lan = await processor.reader.find(parse_key("user_id:lan-1"))
        assert lan is not None
        assert lan.folded.total == 3

        await at(2, track("late-1", anonymousId="tablet"), track("late-2", anonymousId="tablet", userId="lan-1"))
        await at(4, track("late-3", anonymousId="tablet"), track("late-4", anonymousId="tablet", userId="lan-1"))
        counts = await processor.counted(lambda counts: counts.events + counts.filtered == 3 + 4)
        assert counts.filtered == 1
        problem = await processor.reader.problem_by_message(["shop"], "late-3")
        assert problem is not None
        assert problem.reason == "erased"


async def test_a_crash_between_erasing_and_the_answer_gives_the_same_receipt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, erasure_key=SECRET) as processor:
        await processor.send(track("m1", userId="lan-1"), track("m2", userId="lan-1"))
        await processor.counted(lambda counts: counts.events == 2)
        lan = await profile_of(processor, "user_id:lan-1")
        store = processor.environment.store
        commit, failed = store.commit, 0

        async def failing(*arguments: Any) -> int:
            nonlocal failed
            if failed < 2:
                failed += 1
                raise RuntimeError("killed here")
            return await commit(*arguments)

        monkeypatch.setattr(store, "commit", failing)
        outcome = await processor.command("erase", "cmd_1", profile=lan)
        assert failed == 2
        assert (outcome.state, outcome.result["events"], outcome.result["profile_ids"]) == ("applied", 2, [lan])
