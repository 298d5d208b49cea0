"""How a profile came to be what it is, told to somebody who never heard of an identity graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from leocdp_admin.application.shapes.identity import (
    IdentityShape,
    LeafIdentifier,
    MergeShape,
    RefusalShape,
    SwitchShape,
)
from leocdp_admin.application.shapes.profiles import ShortIdentifier
from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.people import source_name
from leocdp_admin.views.reasons import left_apart
from leocdp_admin.views.words import STATE_COLOURS, STATE_HELP, STATES, kind_icon, kind_name, word

MOST: Final = 50
"""Of each kind of history, newest first: what nobody scrolls through is not shown."""


@dataclass(frozen=True, slots=True)
class IdentifierView:
    kind_code: str
    kind: str
    icon: str
    value: str
    id_space: str
    state: str
    state_name: str
    state_help: str
    state_colour: str
    verified: bool
    why: str
    event_url: str
    next_state: str
    """What a person may change it to; empty for what cannot be changed."""


@dataclass(frozen=True, slots=True)
class MergeView:
    id: str
    what: str
    why: str
    undone: str
    undoable: bool
    connector: str
    """What brought the two together; empty for a merge by hand."""


@dataclass(frozen=True, slots=True)
class HistoryView:
    """A switch or a refusal: what happened, why, and with whom."""

    icon: str
    what: str
    why: str
    other: str


@dataclass(frozen=True, slots=True)
class OtherProfile:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class IdentityView:
    identifiers: Sequence[IdentifierView]
    merges: Sequence[MergeView]
    switches: Sequence[HistoryView]
    refusals: Sequence[HistoryView]
    cannot_link: Sequence[OtherProfile]


@dataclass(frozen=True, slots=True)
class _Telling:
    """What every sentence here needs to know."""

    identity: IdentityShape
    leaves: frozenset[str]
    sources: Mapping[str, str]
    l10n: Localisation
    now: datetime


def identity_view(found: IdentityShape, sources: Mapping[str, str], l10n: Localisation, now: datetime) -> IdentityView:
    leaves = {found.profile_id, *(one.leaf for one in found.identifiers)}
    leaves |= {merge.from_ for merge in found.merges if merge.undone_at is None}
    telling = _Telling(found, frozenset(leaves), sources, l10n, now)
    return IdentityView(
        identifiers=[_identifier(telling, one) for one in found.identifiers],
        merges=[_merge(telling, one) for one in found.merges[:MOST]],
        switches=[_switch(telling, one) for one in found.switches[:MOST]],
        refusals=[_refusal(telling, one) for one in found.refusals[:MOST]],
        cannot_link=[OtherProfile(other, _short(telling, other)) for other in found.cannot_link],
    )


def _identifier(telling: _Telling, one: LeafIdentifier) -> IdentifierView:
    l10n = telling.l10n
    origin = {
        "source": source_name(one.source, telling.sources, l10n),
        "date": l10n.moment(one.first_seen),
        "last": l10n.ago(one.last_seen, telling.now),
    }
    why = l10n.gettext("Came with an event from %(source)s on %(date)s, last seen %(last)s.") % origin
    url = f"/profiles/{telling.identity.profile_id}/because"
    return IdentifierView(
        kind_code=one.kind,
        kind=kind_name(one.kind, l10n)
        if one.id_space == "default"
        else f"{kind_name(one.kind, l10n)} ({one.id_space})",
        icon=kind_icon(one.kind),
        value=one.value,
        id_space=one.id_space,
        state=one.state,
        state_name=word(STATES, one.state, l10n),
        state_help=word(STATE_HELP, one.state, l10n),
        state_colour=STATE_COLOURS[one.state],
        verified=one.verified,
        why=why,
        event_url=_query(url, message=one.message_id, source=one.source),
        next_state="active" if one.state == "shared" else "shared" if one.state == "active" else "",
    )


def _merge(telling: _Telling, one: MergeShape) -> MergeView:
    l10n = telling.l10n
    names = {"gone": _short(telling, one.from_), "kept": _short(telling, one.into)}
    if one.into == telling.identity.profile_id:
        what = l10n.gettext("%(gone)s became part of this profile.") % names
    else:
        what = l10n.gettext("%(gone)s became part of %(kept)s.") % names
    undone = l10n.gettext("Undone on %(date)s.") % {"date": l10n.moment(one.undone_at)} if one.undone_at else ""
    connector = _called(telling, one.identifier) if one.identifier else ""
    return MergeView(one.id, what, _merge_reason(telling, one, connector), undone, not one.undone_at, connector)


def _merge_reason(telling: _Telling, one: MergeShape, connector: str) -> str:
    l10n, date = telling.l10n, telling.l10n.moment(one.at)
    if one.by == "user":
        return l10n.gettext("Merged by hand on %(date)s.") % {"date": date}
    if connector:
        return l10n.gettext("Because an event on %(date)s showed that both use %(id)s.") % {
            "date": date,
            "id": connector,
        }
    return l10n.gettext("Because an event on %(date)s belonged to both.") % {"date": date}


def _switch(telling: _Telling, one: SwitchShape) -> HistoryView:
    l10n = telling.l10n
    device = {"device": _called(telling, one.identifier)}
    came = one.to in telling.leaves
    if came:
        what = l10n.gettext("%(device)s was used by somebody else before, and belongs to this person now.") % device
    else:
        what = l10n.gettext("%(device)s belonged to this person and is used by somebody else now.") % device
    times = l10n.ngettext("%(num)s change on %(date)s.", "%(num)s changes on %(date)s.", one.count)
    why = times % {"num": one.count, "date": l10n.date(one.at)}
    other = one.from_ if came else one.to
    return HistoryView(kind_icon(one.identifier.kind), what, why, "" if other in telling.leaves else other)


def _refusal(telling: _Telling, one: RefusalShape) -> HistoryView:
    l10n = telling.l10n
    said = {"id": _called(telling, one.identifier), "date": l10n.moment(one.at)}
    if one.owner and one.owner in telling.leaves:
        what = l10n.gettext("An event of somebody else on %(date)s also carried %(id)s, which belongs here.") % said
    elif one.owner:
        what = l10n.gettext("An event on %(date)s also carried %(id)s, which belongs to another profile.") % said
    else:
        what = l10n.gettext("%(id)s came with an event on %(date)s and was not taken up.") % said
    other = one.owner if one.owner and one.owner not in telling.leaves else ""
    return HistoryView("unlink", what, left_apart(one.reason, l10n), other)


def _called(telling: _Telling, one: ShortIdentifier) -> str:
    """*E-mail lan@example.vn*."""
    return f"{kind_name(one.kind, telling.l10n)} {one.value}"


def _short(telling: _Telling, profile_id: str) -> str:
    return telling.l10n.gettext("Profile …%(id)s") % {"id": profile_id[-6:]}


def _query(url: str, **given: str) -> str:

    return f"{url}?{urlencode({name: value for name, value in given.items() if value})}"
