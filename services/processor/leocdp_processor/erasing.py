"""Erasing people, and knowing the items of those who were erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from leocdp.contracts.times import iso
from leocdp.contracts.topics import DAY_MS, PROFILES_CHANGED, longest_retention_ms
from leocdp.domain.decisions import Command, CommandOutcome, LoadRequest, OutboxRecord, Snapshot
from leocdp.domain.events import Envelope
from leocdp.domain.identity.history import stable_id
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.privacy.erasure import erased_people, item_keys, ledger_of
from leocdp.domain.privacy.ledger import ErasedPerson, Erasure, ErasureKey, ErasureReceipt, Spell
from leocdp.domain.privacy.mentions import Mentions
from leocdp.domain.profiles.state import Profile
from leocdp.ports.profile_store import ProfileStore
from leocdp_processor.decide.batch import Item, load_request

PAGE: Final = 10_000
"""Identifiers that are hashed at a time when somebody is looked for by hashes."""


class EraseContent(msgspec.Struct, frozen=True):
    """Of the command ``erase``, see :mod:`leocdp.contracts.commands`."""

    profile: str = ""
    hashes: dict[str, list[Spell]] = {}
    key: str = ""
    at: int = 0


class LedgerUnreadable(Exception):
    """Somebody was erased, and without the same secret nobody can tell whom to keep away."""


class _Refused(Exception):
    """The text is the reason that the sender of the command is told."""


@dataclass(frozen=True, slots=True)
class _Person:
    root: Profile
    leaves: Sequence[Profile]


@dataclass(frozen=True, slots=True)
class Erased:
    """The answer to an erase command, and what other systems are told."""

    outcome: CommandOutcome
    outbox: Sequence[OutboxRecord] = ()


class Eraser:
    """Carries out erase commands and looks items up in the ledger. ``key`` None: nobody can be erased."""

    def __init__(self, store: ProfileStore, key: ErasureKey | None, *, backup_days: int) -> None:
        self._store = store
        self._key = key
        self._backup_ms = backup_days * DAY_MS
        self._until = 0
        """The latest end of a spell that was seen: younger items need no look at the ledger."""

    async def check(self) -> None:
        """Raises LedgerUnreadable when the store's ledger was made with another secret than ours."""
        known = await self._store.erasure_keys()
        if known and (self._key is None or known != {self._key.fingerprint}):
            raise LedgerUnreadable(
                "People were erased from this profile store, and LEOCDP_ERASURE_KEY is not the secret that they are "
                "remembered with, so they could come back. Set the secret that this installation had before."
            )

    # The items of a batch

    async def load(self, items: Sequence[Item], rules: IdentityRules) -> Snapshot:
        """What a decision on the items can see, the ledger by identifiers' keys."""
        keys = self._keys(items, rules)
        snapshot = await self._store.load(load_request(items, rules, keys))
        if snapshot.erased_until > self._until:
            self._until = snapshot.erased_until
            # Items that seemed too young for the ledger may not be.
            if (again := self._keys(items, rules)).keys() != keys.keys():
                keys = again
                snapshot = await self._store.load(load_request(items, rules, keys))
        snapshot.erased = {key: snapshot.erased[one] for one, key in keys.items() if one in snapshot.erased}
        return snapshot

    def _keys(self, items: Sequence[Item], rules: IdentityRules) -> Mapping[str, str]:
        """Hash → key of every identifier of items that may be an erased person's."""
        if self._key is None or not self._until:
            return {}
        old = (item for item in items if isinstance(item, Envelope) and item.received_at <= self._until)
        return {self._key.hash(key): key for item in old for key in item_keys(item, rules)}

    # Commands

    async def carry_out(self, command: Command, rules: IdentityRules, now: int) -> Erased:
        """Erase, or say why not. A command that comes again, after a crash, gets the first answer.

        Raises Conflict, StoreUnavailable.
        """
        try:
            receipt = await self._store.erasure(command.id) or await self._erase(command, rules)
        except _Refused as refused:
            return Erased(CommandOutcome(command.id, command.kind, "refused", now, command.actor, {}, str(refused)))
        told = [_told(command, person, receipt.erasure.at) for person in receipt.erasure.people]
        result = self._result(receipt)
        return Erased(CommandOutcome(command.id, command.kind, "applied", now, command.actor, result), told)

    async def _erase(self, command: Command, rules: IdentityRules) -> ErasureReceipt:
        content, key = _content(command), self._key
        if key is None:
            raise _Refused("no_erasure_key")
        if content.key not in ("", key.fingerprint):
            raise _Refused("other_erasure_key")
        at = min(content.at or command.at, command.at)
        people = await self._find(content, key, rules)
        if not people and not content.hashes:
            raise _Refused("profile_not_found")
        ledger = {one: set(spells) for one, spells in content.hashes.items()}
        named: set[str] = set()
        for person in people:
            switches = await self._store.switches_of([leaf.id for leaf in person.leaves])
            for identifier, spells in ledger_of(person.leaves, switches, at).items():
                ledger.setdefault(key.hash(identifier), set()).update(spells)
                if spells == (Spell(0, at),):
                    named.add(identifier)
        gone = tuple(ErasedPerson(one.root.id, one.root.revision, one.root.leaf_ids) for one in people)
        remembered = {one: tuple(sorted(spells)) for one, spells in sorted(ledger.items())}
        # What others had as well, such as the family's tablet, says nothing about whose a payload is.
        return await self._store.erase(Erasure(command.id, at, key.fingerprint, gone, remembered), Mentions(named))

    async def _find(self, content: EraseContent, key: ErasureKey, rules: IdentityRules) -> list[_Person]:
        """By profile id; where nobody has that, by hashes."""
        if content.profile:
            found = (await self._store.load(LoadRequest(trees=frozenset({content.profile})))).profiles
            if content.profile in found:
                return [_person(found, found[content.profile].root)]
        return await self._find_by_hash(content, key, rules) if content.hashes else []

    async def _find_by_hash(self, content: EraseContent, key: ErasureKey, rules: IdentityRules) -> list[_Person]:
        """Look through all identifiers: rare, and the only way to know a person by hashes."""
        ledger: dict[str, Sequence[Spell]] = {}
        leaves: set[str] = set()
        after: str | None = None
        while page := await self._store.identifiers(after=after, limit=PAGE):
            after = page[-1][0]
            for identifier, leaf in page:
                spells = content.hashes.get(key.hash(identifier))
                if spells is not None:
                    ledger[identifier] = spells
                    leaves.add(leaf)
        found = (await self._store.load(LoadRequest(trees=frozenset(leaves)))).profiles
        roots = [found[one] for one in sorted({profile.root for profile in found.values()})]
        return [_person(found, root.id) for root in erased_people(ledger, roots, rules)]

    def _result(self, receipt: ErasureReceipt) -> dict[str, Any]:
        erasure = receipt.erasure
        # The log forgets by the segment, a day late at most.
        copies_until = erasure.at + longest_retention_ms() + DAY_MS + self._backup_ms
        return {
            **receipt.counts,
            "profile_ids": [leaf for person in erasure.people for leaf in person.leaves],
            "at": iso(erasure.at),
            "copies_until": iso(copies_until)[:10],
            "key": erasure.key,
            "hashes": {one: [list(spell) for spell in spells] for one, spells in erasure.ledger.items()},
        }


def _content(command: Command) -> EraseContent:
    try:
        content = msgspec.convert(command.content, EraseContent)
    except msgspec.ValidationError as error:
        raise _Refused("invalid:content") from error
    if not content.profile and not content.hashes:
        raise _Refused("invalid:profile")
    return content


def _person(profiles: Mapping[str, Profile], root: str) -> _Person:
    return _Person(profiles[root], [profiles[leaf] for leaf in profiles[root].leaf_ids])


def _told(command: Command, person: ErasedPerson, at: int) -> OutboxRecord:
    return OutboxRecord(
        id=stable_id("out_", command.id, "profile_erased", person.root),
        topic=PROFILES_CHANGED,
        kind="profile_erased",
        profile_id=person.root,
        all_ids=person.leaves,
        version=person.revision + 1,
        cause="command",
        occurred_at=at,
    )
