"""Segments over time: people, definitions and a clock that a test turns, on any profile store.

What the processor does is done here step by step: batches are loaded, decided and committed, people are refreshed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from leocdp.contracts.config_entries import ConfigEntry
from leocdp.domain.decisions import Changes, Command, LoadRequest, OutboxRecord
from leocdp.domain.events import Address, Envelope
from leocdp.domain.profiles.state import Profile
from leocdp.domain.segments.audience import Audience, member_key
from leocdp.domain.segments.catalogue import Catalogue
from leocdp.domain.segments.evaluate import evaluate
from leocdp.domain.segments.subject import EventFact, Subject, subject_of
from leocdp.kit.metrics import Metrics
from leocdp.ports.profile_store import ProfileStore
from leocdp_processor.catalogue import LiveCatalogue
from leocdp_processor.decide.batch import decide, load_request
from leocdp_processor.decide.lists import PAGE, with_members
from leocdp_processor.refresher import Refresher
from tests.fakes.world import RULES, START, envelope, identifier

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
EVERY = tuple(range(64))


@dataclass
class TurnedClock:
    at: int = START

    def now(self) -> int:
        return self.at


class Announced:
    """Configuration that is there at once."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[ConfigEntry], None]] = []
        self._versions: dict[str, int] = {}
        self._late: list[ConfigEntry] = []

    def on_change(self, callback: Callable[[ConfigEntry], None]) -> None:
        self._callbacks.append(callback)

    def put(self, kind: str, id: str, data: Mapping[str, Any], at: int, *, deleted: bool = False) -> None:
        key = f"{kind}:{id}"
        version = self._versions[key] = self._versions.get(key, 0) + 1
        entry = ConfigEntry(kind=kind, id=id, version=version, at=at, deleted=deleted, data=dict(data))
        self.tell(entry)

    def tell(self, entry: ConfigEntry) -> None:
        self._late.append(entry)
        for callback in self._callbacks:
            callback(entry)

    def tell_late(self, other: Announced) -> None:
        """Tell somebody else what has been told here since the last time."""
        for entry in self._late:
            other.tell(entry)
        self._late.clear()


@dataclass
class Timeline:
    """``told``: everything that other systems were told, in order. ``late`` is a second worker's knowledge of the
    definitions, which is as old as the last :meth:`catch_up`."""

    store: ProfileStore
    clock: TurnedClock = field(default_factory=TurnedClock)
    zone: str = "UTC"
    told: list[OutboxRecord] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self.config = Announced()
        self.live = LiveCatalogue(self.config, self.zone)
        self._late_config = Announced()
        self.late = LiveCatalogue(self._late_config, self.zone)
        self.metrics = Metrics()
        self._segments: dict[str, dict[str, Any]] = {}
        self._refresher = self.worker(self.live)

    def worker(self, catalogue: LiveCatalogue) -> Refresher:
        return Refresher(
            store=self.store,
            catalogue=catalogue,
            metrics=self.metrics,
            clock=self.clock,
            lock=asyncio.Lock(),
            committed=lambda: None,
        )

    def catch_up(self) -> None:
        self.config.tell_late(self._late_config)

    # Definitions

    def _moment(self) -> int:
        """Admin gives every change a time of its own."""
        return max(self.clock.at, self.live.current.generation + 1)

    def define(self, segment: str, condition: Mapping[str, Any]) -> None:
        """Another condition: computed beside the one in force, until it is published."""
        data = self._segments.setdefault(segment, {"id": segment, "name": segment})
        latest = max((one["version"] for one in (data.get("current"), data.get("next")) if one), default=0)
        data["next"] = {"version": latest + 1, "condition": dict(condition)}
        self.put(segment)

    def publish(self, segment: str) -> None:
        """What admin does when nobody is behind."""
        data = self._segments[segment]
        data["current"] = data.pop("next")
        self.put(segment)

    def state(self, segment: str, state: str) -> None:
        self._segments[segment]["state"] = state
        self.put(segment)

    def put(self, segment: str) -> None:
        self.config.put("segment", segment, self._segments[segment], self._moment())

    def delete(self, segment: str) -> None:
        self.config.put("segment", segment, self._segments.pop(segment), self._moment(), deleted=True)

    def set_zone(self, name: str) -> None:
        self.config.put("workspace", "default", {"time_zone": name}, self._moment())

    def score(self, data: Mapping[str, Any]) -> None:
        self.config.put("scoring", "default", data, self._moment())

    def compute(self, trait: str, definition: Mapping[str, Any]) -> None:
        data = {"id": f"ctr_{trait}", "trait": trait, "definition": dict(definition)}
        self.config.put("computed_trait", f"ctr_{trait}", data, self._moment())

    async def segment(self, segment: str, condition: Mapping[str, Any]) -> None:
        """A segment in force: defined, computed for everybody, published, announced."""
        self.define(segment, condition)
        await self.refresh()
        self.publish(segment)
        await self.refresh()

    # What happens

    def event(self, text: str, name: str | None = "Seen", *, ago: int = 0, **given: Any) -> Envelope:
        """An event of now, or one that comes late: it happened ``ago`` ms before."""
        self.number += 1
        at = self.clock.at
        made = envelope(text, self.number, received_at=at, timestamp=at - ago, name=name)
        return replace(made, **given)

    async def see(self, text: str, name: str = "Seen", *, ago: int = 0, **given: Any) -> Changes:
        return await self.apply(self.event(text, name, ago=ago, **given))

    async def identify(self, text: str, ago: int = 0, **traits: Any) -> Changes:
        return await self.apply(self.event(text, ago=ago, type="identify", name=None, traits=traits))

    def command_of(self, kind: str, **content: Any) -> Command:
        self.number += 1
        content = {name.rstrip("_"): value for name, value in content.items()}
        address = Address("commands", 0, self.number, 0)
        return Command(f"cmd_{self.number}", kind, "usr_1", self.clock.at, content, address)

    async def command(self, kind: str, **content: Any) -> Mapping[str, Any]:
        """The result of a command that has to be applied."""
        command = self.command_of(kind, **content)
        if kind == "list_drop":
            label = "\x1flist:" + str(content["list"])
            command = with_members(command, await self.store.people_labelled(label, PAGE))
        outcome = (await self.apply(command)).commands[0]
        assert outcome.state == "applied", outcome.reason
        return outcome.result

    async def apply(self, *items: Envelope | Command, late: bool = False) -> Changes:
        """One batch; ``late``: by the second worker."""
        catalogue = (self.late if late else self.live).current
        snapshot = await self.store.load(load_request(items, RULES))
        changes = decide(items, snapshot, RULES, self.clock.at, catalogue)
        await self.store.commit(changes, (), self.clock.at)
        await self._hear()
        return changes

    async def wait(self, ms: int) -> None:
        """Time passes, and everybody whose time comes is refreshed when it does."""
        end = self.clock.at + ms
        while self.clock.at < end:
            dues = [one.audience.due for one in await self.roots() if one.audience and one.audience.due is not None]
            self.clock.at = min([end, *(max(due, self.clock.at + 1) for due in dues)])
            await self.refresh()

    async def refresh(self) -> None:
        """Bring everybody up to now."""
        while await self._refresher.step(EVERY, bring_up=True):
            pass
        await self._hear()

    async def _hear(self) -> None:
        pending = await self.store.pending_outbox(10_000)
        self.told += [one.record for one in pending if one.record.segment]
        await self.store.mark_published([one.sequence for one in pending])

    # What is known

    @property
    def catalogue(self) -> Catalogue:
        return self.live.current

    async def root(self, token: str) -> Profile:
        key = identifier(token).key
        snapshot = await self.store.load(LoadRequest(identifiers=frozenset({key})))
        return snapshot.profiles[snapshot.profiles[snapshot.owners[key].leaf].root]

    async def roots(self) -> list[Profile]:
        ids = {leaf for _, leaf in await self.store.identifiers(after=None, limit=100_000)}
        found = (await self.store.load(LoadRequest(profile_ids=frozenset(ids)))).profiles
        return [one for one in found.values() if one.merged_into is None]

    async def is_in(self, token: str, segment: str) -> bool:
        audience = (await self.root(token)).audience or Audience()
        return member_key(segment, self.catalogue.versions[segment]) in audience.members

    async def facts(self, root: Profile) -> Sequence[EventFact]:
        names = {name for one in self.catalogue.nodes.values() for name in one.names}
        types = {type_ for one in self.catalogue.nodes.values() for type_ in one.types}
        return (await self.store.person_events({root.id: root.leaf_ids}, names=names, types=types))[root.id]

    async def expected(self, root: Profile) -> set[str]:
        """Member keys by the meaning: conditions over all events, and nothing of what is kept."""
        facts, catalogue = await self.facts(root), self.catalogue
        inside: set[str] = set()
        keys: set[str] = set()
        audience = root.audience or Audience()
        for key in audience.members:
            if key.rpartition(":")[0] in catalogue.frozen:
                keys.add(key)
                if key in catalogue.current:
                    inside.add(catalogue.current[key])
        scoring = catalogue.scoring
        half_lives = scoring.half_lives if scoring else {}
        subject = subject_of(root, segments={}, half_lives=half_lives, now=self.clock.at)
        for track in catalogue.tracks:
            asked = Subject(root.id, subject.state, subject.computed, subject.scores, subject.stage, inside)
            if evaluate(track.condition, asked, facts, self.clock.at, catalogue.setting).holds:
                keys.add(track.key)
                if track.current:
                    inside.add(track.segment)
        return keys

    def sequence(self, *profile_ids: str) -> list[str]:
        """What was told of people, in short: ``+vip event``, ``-vip time``."""
        return [
            f"{'+' if one.kind == 'segment_entered' else '-'}{one.segment} {one.cause}"
            for one in self.told
            if not profile_ids or one.profile_id in profile_ids
        ]
