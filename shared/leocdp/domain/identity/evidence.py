"""What an event says about who it is: the places that may give identifiers, and what is taken from each.

| place | gives |
|---|---|
| ``userId`` | ``user_id``, and the contact that it is |
| ``anonymousId`` | ``anonymous_id`` |
| ``traits`` of an identify call, ``context.traits`` of any | the kinds of ``IdentityRules.trait_kinds`` |
| ``properties`` | the same, only for track events named in ``IdentityRules.property_events`` |
| ``context.externalIds`` ``[{type, id}]`` | the kind that ``type`` names, ``social:<provider>`` included |
| ``context.device.id``, ``.token`` | ``device_id``, ``push_token`` |

The traits of a group are not a person's and give nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from leocdp.domain.events import SourceFacts
from leocdp.domain.identity.identifiers import Identifier
from leocdp.domain.identity.normalise import kind_name, read_value
from leocdp.domain.identity.rules import IdentityRules

MOST_PER_EVENT: Final = 50
"""Beyond, the weakest are left out: what resolution may have to do for one event stays bounded."""
_MOST_PER_PLACE: Final = 200
_VERIFIED: Final = "_verified"
_NONE: Final[frozenset[Identifier]] = frozenset()


class Evidence(NamedTuple):
    """Usable identifiers in resolution order, those that are verified, and (kind, reason) of the unusable ones.

    Reasons: ``blocked``, ``malformed``, ``too_long``, ``unknown_kind``, ``shared_device``, ``too_many``. The kind is
    ``social`` for all providers and ``other`` for an unknown one, so that reasons can be counted.
    """

    identifiers: tuple[Identifier, ...]
    verified: frozenset[Identifier] = frozenset()
    dropped: tuple[tuple[str, str], ...] = ()


class Claims(NamedTuple):
    """The parts of an event that may give identifiers, as they were sent."""

    type: str
    name: str | None = None
    user_id: Any = None
    anonymous_id: Any = None
    traits: Mapping[str, Any] | None = None
    context: Mapping[str, Any] | None = None
    properties: Mapping[str, Any] | None = None


def gather(claims: Claims, source: SourceFacts, rules: IdentityRules) -> Evidence:
    """All identifiers of an event. Only hints (kinds that do not resolve) are passed over in silence."""
    found: dict[Identifier, int] = {}
    verified: set[Identifier] = set()
    dropped: list[tuple[str, str]] = []
    for kind, value, proven in _candidates(claims, rules):
        rule = rules.find(kind)
        if rule is None:
            dropped.append(("other", "unknown_kind"))
        elif not rule.resolves:
            continue
        elif rule.device and source.shared_device:
            dropped.append((rule.name, "shared_device"))
        else:
            identifiers, reason = read_value(kind, rule, value, source.id_space, rules)
            if reason is not None:
                dropped.append((rule.name, reason))
            for identifier in identifiers:
                # A user id may bring the contact that it is, whose kind has a rule of its own.
                own = rule if identifier.kind == kind else rules.kind(identifier.kind)
                if own.resolves:
                    found[identifier] = own.priority
            if proven and rule.contact and source.authenticated:
                verified.update(identifiers)
    usable = tuple([each for _, each in sorted([(priority, each) for each, priority in found.items()])])
    dropped.extend((rules.kind(weak.kind).name, "too_many") for weak in usable[MOST_PER_EVENT:])
    usable = usable[:MOST_PER_EVENT]
    return Evidence(usable, frozenset(verified.intersection(usable)) if verified else _NONE, tuple(dropped))


Candidate = tuple[str, Any, bool]
"""Kind, value as sent, and whether the sender calls it verified."""


def _candidates(claims: Claims, rules: IdentityRules) -> list[Candidate]:
    found: list[Candidate] = []
    if _given(claims.user_id):
        found.append(("user_id", claims.user_id, False))
    if _given(claims.anonymous_id):
        found.append(("anonymous_id", claims.anonymous_id, False))
    if claims.traits and claims.type == "identify":
        _traits(claims.traits, rules, found)
    if claims.properties and claims.type == "track" and claims.name in rules.property_events:
        _traits(claims.properties, rules, found)
    if claims.context:
        _context(claims.context, rules, found)
    return found


def _context(context: Mapping[str, Any], rules: IdentityRules, found: list[Candidate]) -> None:
    traits = context.get("traits")
    if isinstance(traits, dict):
        _traits(traits, rules, found)
    device = context.get("device")
    if isinstance(device, dict):
        for name, kind in (("id", "device_id"), ("token", "push_token")):
            if _given(device.get(name)):
                found.append((kind, device[name], False))
    external = context.get("externalIds")
    if isinstance(external, list):
        _external(external[:_MOST_PER_PLACE], found)


def _external(entries: list[Any], found: list[Candidate]) -> None:
    for entry in entries:
        if isinstance(entry, dict) and _given(entry.get("id")) and entry.get("collection") != "accounts":
            kind = entry.get("type")
            found.append((kind_name(kind) if isinstance(kind, str) else "", entry["id"], False))


def _traits(traits: Mapping[str, Any], rules: IdentityRules, found: list[Candidate]) -> None:
    """A trait may hold one value or a list of them; ``<trait>_verified: true`` speaks for a single one."""
    for name, kind in rules.trait_kinds.items():
        value = traits.get(name)
        if isinstance(value, list):
            found.extend([(kind, entry, False) for entry in value[:_MOST_PER_PLACE] if _given(entry)])
        elif _given(value):
            found.append((kind, value, traits.get(name + _VERIFIED) is True))


def _given(value: Any) -> bool:
    """Clients write an empty text where they have nothing; that is no attempt at an identifier."""
    return value is not None and value != ""
