"""Events for property tests: few identifiers, so that people meet, part and meet again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st
from msgspec import structs

from leocdp.domain.events import Envelope
from leocdp.domain.identity.kinds import DEFAULT_KINDS, SharedThresholds
from leocdp.domain.identity.rules import IdentityRules
from tests.fakes.world import BROWSER, KIOSK, SERVER, START, envelope, identifier

OPEN_RULES = IdentityRules(
    kinds={rule.name: replace(rule, limit=None, contact=False) for rule in DEFAULT_KINDS},
    max_merges=10**6,
    max_identifiers=10**6,
    shared=SharedThresholds(10**6, 30, 10**6, 10**6),
)
"""No protection: no limit, no cap, no device rule (there are no contacts), nothing becomes shared."""

TIGHT_RULES = IdentityRules(max_merges=3, max_identifiers=9, shared=SharedThresholds(3, 30, 3, 12))
"""All protections, so narrow that a handful of events meets each of them."""

POOL = ("a1", "a2", "a3", "a4", "d1", "d2", "u1", "u2", "u3", "c1", "c2", "x1", "x2", "x3", "p1", "p2")
CONTACTS = tuple(f"{letter}{number}" for letter in "xp" for number in range(1, 6))

identifiers = st.lists(st.sampled_from(POOL), min_size=1, max_size=4, unique=True).map(" ".join)


@st.composite
def plain_events(draw: st.DrawFn, pool: Sequence[str] = POOL, most: int = 24) -> list[Envelope]:
    """Events of trusted sources: tracks, identifies with traits, now and then a consent; some of them twice."""
    texts = draw(
        st.lists(st.lists(st.sampled_from(pool), max_size=4, unique=True).map(" ".join), min_size=1, max_size=most)
    )
    return [_dressed(draw, text, number) for number, text in enumerate(texts, 1)]


def _dressed(draw: st.DrawFn, text: str, number: int) -> Envelope:
    event = envelope(text, number, timestamp=START + draw(st.integers(0, 6)) * 1000)
    match draw(st.sampled_from(("track", "track", "identify", "page", "consent"))):
        case "identify":
            return structs.replace(event, type="identify", name=None, traits=draw(_traits))
        case "page":
            return structs.replace(event, type="page", name=draw(st.sampled_from((None, "Home", "Cart"))))
        case "consent":
            return structs.replace(event, consent=draw(_consents))
        case _:
            return event


_values = st.sampled_from((None, 1, 2, "pro", ["a"], {"k": 1}))
_traits = st.dictionaries(st.sampled_from(("name", "plan", "age")), _values, max_size=3)
_consents = st.dictionaries(st.sampled_from(("marketing", "analytics")), st.booleans(), min_size=1, max_size=2)


@st.composite
def any_events(draw: st.DrawFn, most: int = 24) -> list[Envelope]:
    """Events of all kinds of sources, aliases and verified contacts among them."""
    events = draw(plain_events(most=most))
    return [_varied(draw, event) for event in events]


def _varied(draw: st.DrawFn, event: Envelope) -> Envelope:
    source = draw(st.sampled_from((SERVER, SERVER, BROWSER, KIOSK)))
    event = structs.replace(event, source=source)
    match draw(st.sampled_from(("", "", "", "alias", "verified"))):
        case "alias":
            old, new = draw(st.sampled_from(("a1", "a2", "u1", "u2", "u3"))), draw(st.sampled_from(("u1", "u2", "u3")))
            return structs.replace(
                event, type="alias", name=None, traits={}, previous_id=old, identifiers=(identifier(new),)
            )
        case "verified" if source.authenticated:
            contacts = (one for one in event.identifiers if one.kind in ("email", "phone"))
            return structs.replace(event, verified=frozenset(contacts))
        case _:
            return event


@st.composite
def repeated(draw: st.DrawFn, events: Sequence[Envelope]) -> list[Envelope]:
    """The events in any order, some of them delivered twice."""
    again = draw(st.lists(st.sampled_from(events), max_size=4))
    return draw(st.permutations([*events, *again]))


sizes = st.lists(st.integers(1, 8), min_size=1, max_size=3)
partitions = st.lists(st.integers(0, 3), min_size=1, max_size=7)
schedules = st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=30)
