"""How a person is called and reached, wherever one is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from leocdp_admin.application.profile_shape import COMPUTED
from leocdp_admin.application.shapes.profiles import ProfileRow, ProfileShape
from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.event_views import key_name, value_text
from leocdp_admin.views.words import (
    CONSENT_COLOURS,
    CONSENTS,
    DEVICE_KINDS,
    PURPOSES,
    kind_icon,
    kind_name,
    word,
)

MAX_CONTACTS: Final = 4
FIRST_TRAITS: Final = (
    *("name", "first_name", "firstName", "last_name", "lastName", "email", "phone", "birthday", "gender", "city"),
)
TRAIT_NAMES: Final = {
    "name": N_("Name"),
    "first_name": N_("First name"),
    "firstName": N_("First name"),
    "last_name": N_("Last name"),
    "lastName": N_("Last name"),
    "gender": N_("Gender"),
    "birthday": N_("Birthday"),
    "age": N_("Age"),
    "address": N_("Postal address"),
    "company": N_("Company"),
    "language": N_("Language"),
    "createdAt": N_("Customer since"),
    "created_at": N_("Customer since"),
}


class Named(Protocol):
    @property
    def kind(self) -> str: ...

    @property
    def value(self) -> str: ...


class Listed(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def identifiers(self) -> Sequence[Named]: ...


@dataclass(frozen=True, slots=True)
class Contact:
    kind: str
    icon: str
    value: str


@dataclass(frozen=True, slots=True)
class PersonView:
    name: str
    initials: str
    """Empty for somebody without a name."""
    contacts: Sequence[Contact]


@dataclass(frozen=True, slots=True)
class TraitView:
    label: str
    value: str
    at: datetime
    origin: str


@dataclass(frozen=True, slots=True)
class ConsentView:
    id: str
    name: str
    code: str
    status: str
    colour: str
    origin: str


def person_view(who: Listed, l10n: Localisation) -> PersonView:
    """A name to call them by, and the ways to reach them; devices are no contacts."""
    shown = sorted((one for one in who.identifiers if one.kind not in DEVICE_KINDS), key=_contact_order)
    contacts = [Contact(kind_name(one.kind, l10n), kind_icon(one.kind), one.value) for one in shown]
    return PersonView(called(who.name, contacts, who.id, l10n), initials(who.name), contacts[:MAX_CONTACTS])


def _contact_order(one: Named) -> int:
    """What one writes to or calls first; numbers of systems last."""
    return 0 if one.kind == "email" else 1 if one.kind == "phone" else 2 if one.kind.startswith("social:") else 3


def called(name: str, contacts: Sequence[Contact], profile_id: str, l10n: Localisation) -> str:
    if name:
        return name
    if contacts:
        return contacts[0].value
    return l10n.gettext("Anonymous visitor %(id)s") % {"id": profile_id[-4:]}


def initials(name: str) -> str:
    """First letters of the first and the last word."""
    words = [part for part in name.split() if part[0].isalnum()]
    chosen = words[:1] + words[1:][-1:]
    return "".join(part[0] for part in chosen).upper()


def trait_views(
    profile: ProfileShape, sources: Mapping[str, str], l10n: Localisation, now: datetime
) -> list[TraitView]:
    """Every detail with where it came from and when."""
    found = []
    for key, value in sorted(profile.traits.items(), key=lambda pair: _trait_order(pair[0])):
        origin = (profile.provenance or {}).get(key)
        if origin is None:
            continue
        said = origin_text(origin.source, origin.updated_at, sources, l10n, now)
        found.append(TraitView(trait_name(key, l10n), value_text(key, value, l10n), origin.updated_at, said))
    return found


def _trait_order(key: str) -> tuple[int, str]:
    """Who it is first, then how to reach them, then the rest by name."""
    return (FIRST_TRAITS.index(key) if key in FIRST_TRAITS else len(FIRST_TRAITS), key)


def trait_name(key: str, l10n: Localisation) -> str:
    known = TRAIT_NAMES.get(key)
    return l10n.gettext(known) if known else key_name(key, l10n)


def consent_views(
    profile: ProfileShape,
    sources: Mapping[str, str],
    purposes: Mapping[str, str],
    l10n: Localisation,
    now: datetime,
) -> list[ConsentView]:
    """``purposes``: what the workspace calls them, where it does."""
    found = []
    for purpose, consent in profile.consents.items():
        origin = origin_text(consent.source or "", consent.at, sources, l10n, now) if consent.at else ""
        found.append(
            ConsentView(
                id=purpose,
                name=purposes.get(purpose) or word(PURPOSES, purpose, l10n).capitalize(),
                code=consent.status,
                status=word(CONSENTS, consent.status, l10n),
                colour=CONSENT_COLOURS[consent.status],
                origin=origin,
            )
        )
    return found


def origin_text(source: str, at: datetime, sources: Mapping[str, str], l10n: Localisation, now: datetime) -> str:
    """*Web shop, 3 days ago*."""
    place = source_name(source, sources, l10n)
    return ", ".join(part for part in (place, l10n.ago(at, now)) if part)


def source_name(source: str | None, sources: Mapping[str, str], l10n: Localisation) -> str:
    """The name of a source; of one that was deleted its id. People and keys that set something are named as such."""
    if not source:
        return ""
    if source in sources:
        return sources[source]
    if source == COMPUTED:
        return l10n.gettext("computed from events")
    if source.startswith("usr_"):
        return l10n.gettext("set by hand")
    if source.startswith("key:"):
        return l10n.gettext("set through the API")
    return source


def top_events(counts: Mapping[str, int], most: int = 5) -> Iterable[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody in a list to choose from."""

    id: str
    who: PersonView
    status: str
    events: int


def candidate(row: ProfileRow, l10n: Localisation) -> Candidate:
    return Candidate(row.id, person_view(row, l10n), row.status, row.events.total)
