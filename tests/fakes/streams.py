"""Long streams of events and commands, drawn by a seed: deeper than what a property test reaches in a few steps."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from msgspec.structs import replace

from leocdp.domain.decisions import Command
from leocdp.domain.events import Address, Envelope
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import BROWSER, KIOSK, SERVER, START, envelope, identifier

SOURCES = (SERVER, SERVER, SERVER, BROWSER, KIOSK)
LETTERS = "aaaadduuxxppc"


def events(seed: int, count: int, people: int) -> list[Envelope]:
    """Events about ``people`` people who share devices, families and mistakes; some arrive late."""
    random = Random(seed)
    return [_event(random, number, people) for number in range(1, count + 1)]


def _event(random: Random, number: int, people: int) -> Envelope:
    texts = {f"{random.choice(LETTERS)}{_someone(random, people)}" for _ in range(random.choice((1, 1, 2, 2, 3, 4)))}
    event = envelope(
        " ".join(sorted(texts)),
        number,
        source=random.choice(SOURCES),
        timestamp=START + number * 1000 - random.choice((0, 0, 0, 5_000, 90_000_000)),
    )
    roll = random.random()
    if roll < 0.3:
        return replace(event, type="identify", name=None, traits={"name": f"N{random.randrange(people)}", "n": number})
    if roll < 0.4:
        return replace(event, consent={"marketing": random.random() < 0.5})
    if roll < 0.5:
        contacts = frozenset(one for one in event.identifiers if one.kind in ("email", "phone"))
        return replace(event, verified=contacts if event.source.authenticated else frozenset())
    if roll < 0.56:
        old = f"{random.choice('au')}{_someone(random, people)}"
        new = (identifier(f"u{_someone(random, people)}"),)
        return replace(event, type="alias", name=None, previous_id=old, identifiers=new)
    return event


def _someone(random: Random, people: int) -> int:
    """Mostly neighbours: a family, a shared computer."""
    return random.randrange(people) // random.choice((1, 1, 1, 2, 5))


class Operator:
    """A person who merges, un-merges, blocks and corrects, at random, on what is in the store now."""

    def __init__(self, seed: int, store: MemoryStore) -> None:
        self._random = Random(seed)
        self._store = store
        self._number = 0

    def commands(self, count: int) -> Iterator[Command]:
        for _ in range(count if self._store.profiles else 0):
            yield self.command(*self._action())

    def command(self, kind: str, content: dict[str, Any]) -> Command:
        self._number += 1
        at = START + len(self._store.events) * 1000
        return Command(f"cmd_{self._number}", kind, "usr_1", at, content, Address("commands", 0, self._number, 0))

    def _action(self) -> tuple[str, dict[str, Any]]:
        random, store = self._random, self._store
        one, other = (random.choice(sorted(store.profiles)) for _ in range(2))
        merges, keys = sorted(store.merges), sorted(store.owners)
        granted = random.choice(("granted", "denied"))
        choices: list[tuple[str, dict[str, Any]]] = [
            ("merge", {"profile": one, "with": other}),
            ("lift_cannot_link", {"profile": one, "with": other}),
            ("consent", {"profile": one, "consents": {"marketing": granted}}),
            ("label", {"profile": one, "labels": random.sample(("vip", "staff", "test"), random.randrange(3))}),
            ("identifier_state", {"identifier": random.choice(keys), "state": random.choice(("shared", "active"))}),
        ]
        if merges:
            undo = {"merge_id": random.choice(merges), "identifier": random.choice(("keep", "keep", "shared"))}
            choices += [("unmerge", undo)] * 2
        return random.choice(choices)
