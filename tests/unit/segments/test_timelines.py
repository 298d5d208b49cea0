"""Segments over time, on each store: what happens, what time alone does, and what other systems are told of it."""

from __future__ import annotations

from typing import Any

import pytest

from leocdp.contracts.topics import SEGMENTS_MEMBERSHIP
from leocdp.domain.segments.judge import Judge
from tests.fakes.timeline import DAY, HOUR, MINUTE, Timeline
from tests.fakes.world import START

BUYERS = {"event": "Order Completed", "within": "30d"}
GONE_QUIET = {"all": [{"event": "Seen"}, {"event": "Seen", "count": {"is": "eq", "value": 0}, "within": "7d"}]}
LEFT_A_BASKET = {"sequence": [{"event": "Product Added"}, {"event": "Order Completed", "not": True}], "within": "2h"}


async def matches(timeline: Timeline) -> None:
    """What is kept is what the conditions mean."""
    for root in await timeline.roots():
        assert root.audience is not None
        assert set(root.audience.members) == await timeline.expected(root), root.id


async def test_an_event_brings_somebody_in_and_time_takes_them_out(timeline: Timeline) -> None:
    await timeline.segment("buyers", BUYERS)
    await timeline.see("u1")
    assert not await timeline.is_in("u1", "buyers")
    await timeline.see("u1", "Order Completed")
    assert await timeline.is_in("u1", "buyers")
    await timeline.wait(30 * DAY - 1)
    assert await timeline.is_in("u1", "buyers")
    await timeline.wait(1)
    assert not await timeline.is_in("u1", "buyers")
    assert timeline.sequence() == ["+buyers event", "-buyers time"]
    entered, left = timeline.told
    assert (entered.topic, entered.segment, entered.segment_version) == (SEGMENTS_MEMBERSHIP, "buyers", 1)
    assert (entered.occurred_at, left.occurred_at) == (START, START + 30 * DAY)
    assert left.id != entered.id
    await matches(timeline)


async def test_somebody_goes_quiet_and_comes_back(timeline: Timeline) -> None:
    await timeline.segment("quiet", GONE_QUIET)
    await timeline.see("u1")
    await timeline.wait(7 * DAY)
    assert await timeline.is_in("u1", "quiet")
    await timeline.wait(DAY)
    await timeline.see("u1")
    assert not await timeline.is_in("u1", "quiet")
    assert timeline.sequence() == ["+quiet time", "-quiet event"]


async def test_a_basket_is_left_unless_the_order_comes(timeline: Timeline) -> None:
    await timeline.segment("basket", LEFT_A_BASKET)
    await timeline.see("u1", "Product Added")
    await timeline.see("u2", "Product Added")
    await timeline.wait(HOUR)
    await timeline.see("u2", "Order Completed")
    await timeline.wait(HOUR)
    assert [await timeline.is_in(user, "basket") for user in ("u1", "u2")] == [True, False]
    assert timeline.sequence() == ["+basket time"]
    await matches(timeline)


async def test_a_late_event_moves_membership_as_if_it_had_come_in_time(timeline: Timeline) -> None:
    await timeline.segment("basket", LEFT_A_BASKET)
    await timeline.see("u1", "Product Added")
    await timeline.wait(3 * HOUR)
    assert await timeline.is_in("u1", "basket")
    await timeline.see("u1", "Order Completed", ago=2 * HOUR)
    assert not await timeline.is_in("u1", "basket")
    await timeline.segment("buyers", BUYERS)
    await timeline.see("u2", "Order Completed", ago=29 * DAY)
    assert await timeline.is_in("u2", "buyers")
    await timeline.wait(DAY)
    assert not await timeline.is_in("u2", "buyers")
    await matches(timeline)


async def test_entering_and_leaving_at_once_tells_nothing(timeline: Timeline) -> None:
    await timeline.segment("pro", {"trait": "plan", "is": "eq", "value": "pro"})
    pro = timeline.event("u1", type="identify", name=None, traits={"plan": "pro"})
    free = timeline.event("u1", type="identify", name=None, traits={"plan": "free"})
    await timeline.apply(pro, free)
    assert timeline.told == []
    assert not await timeline.is_in("u1", "pro")


async def test_a_new_segment_is_told_only_when_it_is_published(timeline: Timeline) -> None:
    await timeline.see("u1", "Order Completed")
    await timeline.see("u2")
    timeline.define("buyers", BUYERS)
    await timeline.refresh()
    root = await timeline.root("u1")
    assert root.audience is not None
    assert set(root.audience.members) == {"buyers:1"}
    assert timeline.told == []
    await timeline.see("u2", "Order Completed")
    assert timeline.told == []
    timeline.publish("buyers")
    await timeline.refresh()
    assert timeline.sequence() == ["+buyers backfill"] * 2
    await matches(timeline)


async def test_an_edited_segment_counts_as_before_until_the_new_version_is_published(timeline: Timeline) -> None:
    await timeline.see("u1", "Order Completed")
    await timeline.see("u2", "Subscribed")
    await timeline.segment("good", BUYERS)
    await timeline.segment("very good", {"all": [{"segment": "good", "is": "in"}, {"everyone": True}]})
    timeline.told.clear()
    timeline.define("good", {"event": "Subscribed"})
    await timeline.refresh()
    assert [await timeline.is_in(user, "very good") for user in ("u1", "u2")] == [True, False]
    await timeline.see("u2", "Order Completed")
    assert timeline.sequence() == ["+good event", "+very good event"]
    timeline.told.clear()
    timeline.publish("good")
    await timeline.refresh()
    assert [await timeline.is_in(user, "good") for user in ("u1", "u2")] == [False, True]
    assert [await timeline.is_in(user, "very good") for user in ("u1", "u2")] == [False, True]
    assert sorted(timeline.sequence()) == ["-good edit", "-very good backfill"]
    for root in await timeline.roots():
        assert root.audience is not None
        assert "good:1" not in root.audience.members
    await matches(timeline)


async def test_a_paused_segment_keeps_its_members_and_an_archived_one_loses_them(timeline: Timeline) -> None:
    await timeline.see("u1", "Order Completed")
    await timeline.segment("buyers", BUYERS)
    await timeline.segment("followers", {"segment": "buyers", "is": "in"})
    timeline.state("buyers", "paused")
    await timeline.refresh()
    await timeline.see("u2", "Order Completed")
    await timeline.wait(31 * DAY)
    assert [await timeline.is_in(user, "buyers") for user in ("u1", "u2")] == [True, False]
    assert await timeline.is_in("u1", "followers")
    timeline.told.clear()
    timeline.state("buyers", "active")
    await timeline.refresh()
    assert not await timeline.is_in("u1", "buyers")
    assert sorted(timeline.sequence()) == ["-buyers backfill", "-followers backfill"]
    await timeline.see("u1", "Order Completed")
    timeline.told.clear()
    timeline.state("buyers", "archived")
    await timeline.refresh()
    assert sorted(timeline.sequence()) == ["-buyers edit", "-followers backfill"]
    await matches(timeline)


async def test_a_deleted_segment_ends_memberships(timeline: Timeline) -> None:
    await timeline.see("u1", "Order Completed")
    await timeline.segment("buyers", BUYERS)
    timeline.told.clear()
    timeline.delete("buyers")
    await timeline.refresh()
    root = await timeline.root("u1")
    assert root.audience is not None
    assert (root.audience.members, root.audience.announced, root.audience.due) == ({}, {}, None)
    assert timeline.sequence() == ["-buyers edit"]


async def test_two_who_were_in_the_same_segment_become_one_and_part_again(timeline: Timeline) -> None:
    await timeline.segment("buyers", BUYERS)
    await timeline.segment("big", {"event": "Order Completed", "count": {"is": "gte", "value": 2}})
    await timeline.see("u1", "Order Completed")
    await timeline.see("u2", "Order Completed")
    one, two = await timeline.root("u1"), await timeline.root("u2")
    merged = await timeline.command("merge", profile=one.id, with_=two.id)
    assert await timeline.is_in("u2", "big")
    assert timeline.sequence() == ["+buyers event", "+buyers event", "+big merge"]
    await matches(timeline)
    timeline.told.clear()
    await timeline.command("unmerge", merge_id=merged["merge_id"], identifier="keep")
    await timeline.refresh()
    assert [await timeline.is_in(user, "big") for user in ("u1", "u2")] == [False, False]
    assert [await timeline.is_in(user, "buyers") for user in ("u1", "u2")] == [True, True]
    # What was told of the person was told of both.
    assert timeline.sequence() == ["-big unmerge", "-big unmerge"]
    await matches(timeline)


async def test_a_merge_ends_what_only_one_of_them_was_in(timeline: Timeline) -> None:
    await timeline.segment("shy", {"event": "Order Completed", "count": {"is": "eq", "value": 0}})
    await timeline.see("u1", "Order Completed")
    await timeline.see("u2")
    assert timeline.sequence() == ["+shy event"]
    one, two = await timeline.root("u1"), await timeline.root("u2")
    await timeline.command("merge", profile=one.id, with_=two.id)
    assert not await timeline.is_in("u1", "shy")
    assert timeline.sequence() == ["+shy event", "-shy merge"]
    assert set(timeline.told[1].all_ids) == {one.id, two.id}
    await matches(timeline)


async def test_events_unite_devices_and_their_histories(timeline: Timeline) -> None:
    await timeline.segment("twice", {"event": "Product Added", "count": {"is": "gte", "value": 2}, "within": "1d"})
    await timeline.see("a1", "Product Added")
    await timeline.wait(HOUR)
    await timeline.see("a2", "Product Added")
    await timeline.see("a1 u1")
    assert timeline.told == []
    await timeline.see("a2 u1")
    assert await timeline.is_in("u1", "twice")
    await timeline.wait(23 * HOUR)
    assert not await timeline.is_in("u1", "twice")
    assert timeline.sequence() == ["+twice merge", "-twice time"]
    await matches(timeline)


async def test_lists_labels_consents_and_identifiers(timeline: Timeline) -> None:
    await timeline.segment("imported", {"list": "lst_1", "is": "in"})
    await timeline.segment("vip", {"label": "vip", "is": "in"})
    await timeline.segment("wants mail", {"reachable": "email"})
    await timeline.segment("known", {"status": "identified"})
    await timeline.see("a1")
    assert timeline.sequence() == []
    await timeline.see("a1 x1")
    assert sorted(timeline.sequence()) == ["+known event", "+wants mail event"]
    timeline.told.clear()
    root = await timeline.root("a1")
    result = await timeline.command("list_add", list="lst_1", identifiers=["email:x1@shop.vn", "email:nobody@shop.vn"])
    assert result == {"matched": 1, "unknown": 1}
    await timeline.command("label", profile=root.id, labels=["vip"])
    await timeline.command("consent", profile=root.id, consents={"marketing": "denied"})
    assert timeline.sequence() == ["+imported import", "+vip command", "-wants mail command"]
    assert await timeline.is_in("a1", "imported")
    await timeline.command("list_remove", list="lst_1", identifiers=["email:x1@shop.vn"])
    assert not await timeline.is_in("a1", "imported")
    await timeline.command("list_add", list="lst_1", identifiers=["email:x1@shop.vn"])
    assert await timeline.command("list_drop", list="lst_1") == {"removed": 1, "more": False}
    assert await timeline.command("list_drop", list="lst_1") == {"removed": 0, "more": False}
    assert not await timeline.is_in("a1", "imported")
    await matches(timeline)


async def test_a_computed_trait_is_a_trait_that_follows(timeline: Timeline) -> None:
    timeline.compute("spent", {"event": "Order Completed", "fn": "sum", "property": "total", "within": "30d"})
    await timeline.segment("big spenders", {"trait": "spent", "is": "gte", "value": 100})
    await timeline.see("u1", "Order Completed", properties={"total": 60})
    await timeline.wait(DAY)
    await timeline.see("u1", "Order Completed", properties={"total": 50})
    assert await timeline.is_in("u1", "big spenders")
    root = await timeline.root("u1")
    assert root.audience is not None
    assert root.audience.computed == {"spent": 110}
    await timeline.wait(29 * DAY)
    assert not await timeline.is_in("u1", "big spenders")
    assert timeline.sequence() == ["+big spenders event", "-big spenders time"]


async def test_what_only_the_events_can_tell_is_read_within_seconds(timeline: Timeline) -> None:
    await timeline.segment(
        "busy",
        {"event": "Seen", "aggregate": {"fn": "sum", "property": "n"}, "is": "gte", "value": 1_150, "within": "1h"},
    )
    for _ in range(11):
        await timeline.apply(*(timeline.event("u1", properties={"n": 1}) for _ in range(100)))
        timeline.clock.at += MINUTE
    await timeline.refresh()
    assert not await timeline.is_in("u1", "busy")
    await timeline.apply(*(timeline.event("u1", properties={"n": 1}) for _ in range(100)))
    began = timeline.clock.at
    await timeline.wait(6_000)
    assert await timeline.is_in("u1", "busy")
    audience = (await timeline.root("u1")).audience
    assert audience is not None
    # 1,100 events had been read when the last ones came, then 1,200.
    assert audience.read_at == began + 110 + 5_000 + 120
    await matches(timeline)
    await timeline.wait(HOUR)
    assert not await timeline.is_in("u1", "busy")
    await matches(timeline)


async def test_local_days_follow_the_zone(timeline: Timeline) -> None:
    await timeline.segment("daily", {"event": "Seen", "on_at_least": 2, "of_last": 2, "unit": "days"})
    await timeline.see("u1")  # 09:00 UTC, 16:00 in Việt Nam
    await timeline.wait(9 * HOUR)
    await timeline.see("u1")  # 18:00 UTC, 01:00 of the next day
    assert not await timeline.is_in("u1", "daily")
    timeline.set_zone("Asia/Ho_Chi_Minh")
    await timeline.refresh()
    assert await timeline.is_in("u1", "daily")
    await matches(timeline)
    await timeline.wait(23 * HOUR)
    assert not await timeline.is_in("u1", "daily")
    assert [record.cause for record in timeline.told] == ["backfill", "time"]


async def test_people_from_before_any_definition_are_found(timeline: Timeline) -> None:
    for number in range(150):
        await timeline.see(f"u{number}", "Order Completed" if number % 3 == 0 else "Seen")
    await timeline.segment("buyers", BUYERS)
    members = [await timeline.is_in(f"u{number}", "buyers") for number in range(150)]
    assert members == [number % 3 == 0 for number in range(150)]
    assert timeline.sequence() == ["+buyers backfill"] * 50
    await timeline.wait(30 * DAY)
    assert timeline.sequence()[50:] == ["-buyers time"] * 50


def ids(records: list[Any]) -> list[str]:
    return [record.id for record in records]


async def test_every_fact_has_an_id_of_its_own(timeline: Timeline) -> None:
    await timeline.segment("twice a day", {"event": "Seen", "count": {"is": "gte", "value": 2}, "within": "1h"})
    for _ in range(3):
        await timeline.apply(timeline.event("u1"), timeline.event("u1"))
        await timeline.wait(HOUR)
    assert timeline.sequence() == ["+twice a day event", "-twice a day time"] * 3
    assert len(set(ids(timeline.told))) == 6


async def test_somebody_who_cannot_be_told_stops_nobody(timeline: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect in conditions: the event is counted, others are told of, and it is tried again."""
    timeline.score({})
    await timeline.segment("buyers", BUYERS)
    await timeline.see("u1")
    await timeline.see("u2")
    broken = (await timeline.root("u1")).id
    ask = Judge.ask

    def breaking(judge: Judge, *arguments: Any) -> None:
        if judge.subject.id == broken:
            raise RuntimeError("a defect of ours")
        ask(judge, *arguments)

    monkeypatch.setattr(Judge, "ask", breaking)
    await timeline.apply(timeline.event("u1", "Order Completed"), timeline.event("u2", "Order Completed"))
    assert (await timeline.root("u1")).folded.total == 2
    await timeline.refresh()
    assert [await timeline.is_in(user, "buyers") for user in ("u1", "u2")] == [False, True]
    root = await timeline.root("u1")
    assert root.audience is not None
    assert "purchase" not in root.audience.scores.get("engagement", {})
    monkeypatch.undo()
    await timeline.wait(HOUR)
    assert await timeline.is_in("u1", "buyers")
    audience = (await timeline.root("u1")).audience
    assert audience is not None
    assert audience.stage == (await timeline.root("u2")).audience.stage  # type: ignore[union-attr]
    assert timeline.sequence(broken) == ["+buyers time"]
    await matches(timeline)
