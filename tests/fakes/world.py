"""A small world for tests of identity: events written as ``a1 u1 x1``, a store in memory, and who is who after it.

Letters: a anonymous_id, d device_id, u user_id, x e-mail, p phone, c crm_id. ``p1!`` is a verified contact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.domain.decisions import Changes, Command, CommandOutcome
from leocdp.domain.events import Address, Envelope, SourceFacts
from leocdp.domain.identity.evidence import Claims, gather
from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.identity.rules import IdentityRules
from leocdp_processor.decide.batch import decide, load_request
from tests.fakes.memory_store import MemoryStore

START = 1_760_000_400_000
"""A time at the beginning of an hour, ms UTC."""

SERVER = SourceFacts("server", authenticated=True)
BROWSER = SourceFacts("browser")
KIOSK = SourceFacts("kiosk", authenticated=True, shared_device=True)

KINDS = {"a": "anonymous_id", "d": "device_id", "u": "user_id", "x": "email", "p": "phone", "c": "crm_id"}
RULES = IdentityRules()


def identifier(token: str) -> Identifier:
    """``x1`` → the e-mail ``x1@shop.vn``; phones are Vietnamese mobile numbers."""
    letter, number = token[0], token[1:]
    values = {"x": f"x{number}@shop.vn", "p": f"+84901{int(number or 0) + 234000:06d}"}
    return Identifier(KINDS[letter], values.get(letter, token))


def key(token: str) -> str:
    return identifier(token).key


def envelope(text: str, number: int, **given: Any) -> Envelope:
    """The event that carries the identifiers of ``text``; a track event at one second per number."""
    tokens = text.split()
    found = [identifier(token.rstrip("!")) for token in tokens]
    verified = frozenset(identifier(token[:-1]) for token in tokens if token.endswith("!"))
    base = Envelope(
        message_id=f"m{number:05d}",
        type="track",
        source=SERVER,
        protocol="test",
        received_at=START + number * 1000,
        timestamp=START + number * 1000,
        address=Address(EVENTS_ACCEPTED, 0, number, 0),
        name="Seen",
        identifiers=RULES.sorted(set(found)),
        verified=verified,
    )
    return replace(base, **given)


def claimed(number: int, source: SourceFacts = SERVER, rules: IdentityRules = RULES, **claims: Any) -> Envelope:
    """The event that these claims, as they were sent, make: through the normalisers."""
    kind = claims.pop("type", "identify")
    evidence = gather(Claims(kind, **claims), source, rules)
    return envelope(
        "",
        number,
        type=kind,
        name=claims.get("name"),
        source=source,
        identifiers=evidence.identifiers,
        verified=evidence.verified,
        dropped=evidence.dropped,
        traits=claims.get("traits") or {},
    )


class World:
    """Applies events and commands, one batch at a time, and tells who is who."""

    def __init__(self, rules: IdentityRules = RULES) -> None:
        self.rules = rules
        self.store = MemoryStore()
        self.number = 0

    def apply(self, *items: Envelope | Command) -> Changes:
        """One batch."""
        snapshot = self.store.load_now(load_request(items, self.rules))
        changes = decide(items, snapshot, self.rules, START)
        self.store.commit_now(changes, (), START)
        return changes

    def see(self, *texts: str, **given: Any) -> Changes:
        """One batch of events, each given by its identifiers."""
        return self.apply(*[self.event(text, **given) for text in texts])

    def event(self, text: str, **given: Any) -> Envelope:
        self.number += 1
        return envelope(text, self.number, **given)

    def command(self, kind: str, /, **content: Any) -> CommandOutcome:
        self.number += 1
        at = START + self.number * 1000
        content = {name.rstrip("_"): value for name, value in content.items()}
        command = Command(f"cmd_{self.number}", kind, "usr_1", at, content, Address("commands", 0, self.number, 0))
        return self.apply(command).commands[0]

    # Who is who

    def root(self, token: str) -> str:
        return self.store.root_of(self.store.owners[key(token)].leaf)

    def people(self) -> set[frozenset[str]]:
        """Each person as the set of their identifier keys; people without any are left out."""
        roots = [profile for profile in self.store.profiles.values() if profile.merged_into is None]
        return {frozenset(root.folded.identifiers) for root in roots} - {frozenset()}

    def state(self, token: str) -> str:
        return self.store.owners[key(token)].state


def keys(*texts: str) -> set[frozenset[str]]:
    """``keys("a1 u1", "u2")``: people as :meth:`World.people` gives them."""
    return {frozenset(key(token) for token in text.split()) for text in texts}


def partition(people: Iterable[Iterable[str]]) -> set[frozenset[str]]:
    return {frozenset(person) for person in people}
