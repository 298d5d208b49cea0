"""After any stream of events, commands, changed definitions and passing time, members are who the conditions mean.

``Timeline.expected`` asks the conditions over all events of each person and knows nothing of what is kept. What other
systems were told last is the same, and nothing was told twice under one id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest

from leocdp.domain.profiles.state import Profile
from leocdp.domain.scoring.points import Scores, build
from leocdp.domain.scoring.quality import with_quality
from leocdp.domain.scoring.stages import stage_of
from leocdp.domain.segments import computed
from leocdp.domain.segments.audience import Audience
from tests.fakes.memory_store import MemoryStore
from tests.fakes.timeline import DAY, EVERY, HOUR, MINUTE, Timeline

CONDITIONS: list[dict[str, Any]] = [
    {"everyone": True},
    {"event": "A"},
    {"event": "A", "count": {"is": "gte", "value": 2}, "within": "1h"},
    {"event": "A", "count": {"is": "eq", "value": 0}, "within": "2h"},
    {"event": "B", "count": {"is": "between", "value": [2, 3]}, "within": "1d"},
    {"event": "A", "where": [{"property": "n", "is": "gte", "value": 5}]},
    {"event": "A", "aggregate": {"fn": "sum", "property": "n"}, "is": "gt", "value": 9, "within": "3h"},
    {"event": "B", "aggregate": {"fn": "max", "property": "n"}, "is": "gte", "value": 8},
    {"event": "B", "aggregate": {"fn": "most_frequent", "property": "s"}, "is": "eq", "value": "x", "within": "1d"},
    {"event": "A", "aggregate": {"fn": "distinct", "property": "n"}, "is": "gte", "value": 3},
    {"event": "A", "first": True, "within": "2h"},
    {"event": "B", "pick": "last", "property": "s", "is": "eq", "value": "y"},
    {"event": "A", "pick": "first", "property": "n", "is": "lt", "value": 4, "within": "1d"},
    {"sequence": [{"event": "A"}, {"event": "B"}], "within": "1h", "since": "1d"},
    {"sequence": [{"event": "A"}, {"event": "B", "not": True}], "within": "1h", "since": "3h"},
    {"sequence": [{"event": "A"}, {"event": "B"}], "within": "2h", "same": "s"},
    {"event": "A", "on_at_least": 2, "of_last": 3, "unit": "days"},
    {"event": "B", "between": ["2025-10-01", "2025-10-09"]},
    {"trait": "plan", "is": "eq", "value": "pro"},
    {"trait": "since", "is": "within_last", "value": "1d"},
    {"trait": "spent", "is": "gte", "value": 8},
    {"label": "vip", "is": "in"},
    {"list": "lst_1", "is": "in"},
    {"consent": "marketing", "is": "granted"},
    {"identifier": "email", "is": "exists"},
    {"status": "identified"},
    {"reachable": "email"},
    {"score": "lead", "is": "gte", "value": 12},
    {"score": "lead", "is": "between", "value": [3, 20]},
    {"score": "data_quality", "is": "gt", "value": 0},
    {"stage": "new-customer", "is": "in"},
    {"bucket": {"salt": "s", "from": 0, "to": 50}},
]
SCORINGS: list[dict[str, Any]] = [
    {},
    {"metrics": {"aye": {"events": ["A"], "points": 5, "model": "lead"}}, "half_lives": {"lead": "3h"}},
    {"metrics": {"bee": {"events": ["b"], "points": 9, "model": "lead", "stage": "new-customer"}}},
]
ZONES = ("UTC", "Asia/Ho_Chi_Minh", "America/New_York")
TOKENS = ("a1", "a2", "a3", "u1", "u2", "u3", "x1", "x2", "p1")


class Life:
    """A random life of a few people, drawn by a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.timeline = Timeline(MemoryStore())
        self.merges: list[str] = []
        self.segments: list[str] = []

    async def live(self, steps: int) -> None:
        for _ in range(3):
            await self.new_segment()
        actions: list[Callable[[], Coroutine[Any, Any, None]]] = [
            *[self.events] * 10,
            *[self.pass_time] * 5,
            self.act,
            self.act,
            self.second_worker,
            self.change_definitions,
        ]
        for _ in range(steps):
            await self.random.choice(actions)()
            if self.random.random() < 0.3:
                await self.check()
        await self.check()

    def condition(self, depth: int = 2) -> dict[str, Any]:
        roll = self.random.random()
        if depth and roll < 0.35:
            parts = [self.condition(depth - 1) for _ in range(2)]
            return self.random.choice(({"all": parts}, {"any": parts}))
        if depth and roll < 0.5:
            return {"not": self.condition(depth - 1)}
        if roll < 0.6 and self.segments:
            return {"segment": self.random.choice(self.segments), "is": self.random.choice(("in", "not_in"))}
        return self.random.choice(CONDITIONS)

    async def new_segment(self) -> None:
        name = f"sgm_{len(self.segments):016x}"
        condition = self.condition()
        self.timeline.define(name, condition)
        if self.random.random() < 0.8:
            await self.timeline.refresh()
        self.timeline.publish(name)
        self.segments.append(name)

    async def events(self) -> None:
        random, timeline = self.random, self.timeline
        items = []
        for _ in range(random.choice((1, 1, 2, 5))):
            text = " ".join(random.sample(TOKENS, random.choice((1, 1, 2))))
            given: dict[str, Any] = {
                "name": random.choice("AABC"),
                "properties": {"n": random.randrange(12), "s": random.choice("xyz")},
            }
            if random.random() < 0.2:
                traits = {"plan": random.choice(("pro", "free", None)), "since": random.choice(("2025-10-09", 7))}
                given |= {"type": "identify", "name": None, "traits": traits}
            if random.random() < 0.1:
                given["consent"] = {"marketing": random.random() < 0.6}
            ago = random.choice((0, 0, 0, MINUTE, HOUR, 5 * HOUR, 3 * DAY))
            items.append(timeline.event(text, ago=ago, **given))
        # Now and then by a worker who does not know the latest definitions yet.
        await timeline.apply(*items, late=random.random() < 0.2)

    async def pass_time(self) -> None:
        await self.timeline.wait(self.random.choice((1, MINUTE, 20 * MINUTE, HOUR, HOUR, 9 * HOUR, DAY)))

    async def second_worker(self) -> None:
        if self.random.random() < 0.5:
            self.timeline.catch_up()
        await self.timeline.worker(self.timeline.late).step(EVERY, bring_up=True)

    async def act(self) -> None:
        random, timeline = self.random, self.timeline
        roots = sorted(root.id for root in await timeline.roots())
        if not roots:
            return
        one, other = random.choice(roots), random.choice(roots)
        kind = random.choice(("merge", "merge", "unmerge", "unmerge", "label", "consent", "list_add", "list_remove"))
        if kind == "merge" and one != other:
            self.merges.append((await timeline.command("merge", profile=one, with_=other))["merge_id"])
        elif kind == "unmerge" and self.merges:
            merge_id = self.merges.pop(random.randrange(len(self.merges)))
            await timeline.apply(timeline.command_of("unmerge", merge_id=merge_id, identifier="keep"))
        elif kind == "label":
            await timeline.command("label", profile=one, labels=random.choice((["vip"], [])))
        elif kind == "consent":
            await timeline.command("consent", profile=one, consents={"marketing": random.choice(("granted", "denied"))})
        elif kind.startswith("list"):
            await timeline.command(kind, list="lst_1", identifiers=["email:x1@shop.vn", "user_id:u1", "user_id:u2"])

    async def change_definitions(self) -> None:
        random, timeline = self.random, self.timeline
        if len(self.segments) < 8:
            await self.new_segment()
        match random.choice(("edit", "pause", "zone", "compute", "score", "touch")):
            case "edit":
                name = random.choice(self.segments)
                timeline.define(name, random.choice(CONDITIONS))
                if random.random() < 0.5:
                    await timeline.refresh()
                timeline.publish(name)
            case "pause":
                timeline.state(random.choice(self.segments), random.choice(("paused", "active", "active")))
            case "zone":
                timeline.set_zone(random.choice(ZONES))
            case "score":
                timeline.score(random.choice(SCORINGS))
            case "compute":
                fn = random.choice(("sum", "count", "max", "last"))
                rest = {} if fn == "count" else {"property": "n"}
                timeline.compute("spent", {"event": "A", "fn": fn, "within": random.choice(("1h", "1d")), **rest})
            case _:
                timeline.put(random.choice(self.segments))

    async def check(self) -> None:
        timeline = self.timeline
        await timeline.refresh()
        for root in await timeline.roots():
            audience = root.audience or Audience()
            assert set(audience.members) == await timeline.expected(root), root.id
            await self.check_scores(root, audience)
            await self.check_computed(root, audience)
            assert audience.due is None or audience.due > timeline.clock.at
            catalogue = timeline.catalogue
            current = {catalogue.current[key] for key in audience.members if key in catalogue.current}
            assert set(audience.announced) - catalogue.frozen == current - catalogue.frozen, root.id
        ids = [record.id for record in timeline.told]
        assert len(set(ids)) == len(ids)

    async def check_computed(self, root: Profile, audience: Audience) -> None:
        timeline, catalogue = self.timeline, self.timeline.catalogue
        facts = await timeline.facts(root)
        values = {
            one.trait: computed.value(one.computed, None, timeline.clock.at, catalogue.setting, facts)[0]
            for one in catalogue.computed
        }
        assert audience.computed == {trait: value for trait, value in values.items() if value is not None}

    async def check_scores(self, root: Profile, audience: Audience) -> None:
        """Points follow from all events, in whatever order they came."""
        scoring = self.timeline.catalogue.scoring
        if scoring is None:
            assert (audience.scores, audience.stage) == ({}, "")
            return
        events = await self.timeline.store.person_events(
            {root.id: root.leaf_ids}, names=("A", "B", "C"), types=("page", "screen", "identify", "alias")
        )
        made = with_quality(build(events[root.id], scoring), root.folded, scoring)
        assert _rounded(audience.scores) == _rounded(made)
        assert audience.stage == stage_of(made, root.folded, scoring)


def _rounded(scores: Scores) -> dict[str, dict[str, tuple[float, int, int]]]:
    return {
        score: {metric: (round(one.value, 6), one.at, one.count) for metric, one in metrics.items()}
        for score, metrics in scores.items()
    }


@pytest.mark.parametrize("seed", range(60))
def test_members_are_who_the_conditions_mean(seed: int) -> None:
    asyncio.run(Life(seed).live(60))
