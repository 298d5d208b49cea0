"""Imported lists: their members carry a label of their own, which people cannot give and lists of labels do not show.

The label lies on the profile that has the identifier, and goes with it when that is un-merged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from leocdp.domain.decisions import Command
from leocdp.domain.identity.candidates import SHARED
from leocdp.domain.segments.audience import list_label
from leocdp_processor.decide.action import Action, Result, refuse

MOST_IDENTIFIERS: Final = 1_000
PAGE: Final = 1_000
"""People that leave a dropped list by one command."""
MEMBERS: Final = "profiles"


def identifiers_of(content: Mapping[str, Any]) -> Sequence[str]:
    """The identifiers of a command that adds to a list or removes from it; none where they are not as they must be."""
    found = content.get("identifiers")
    if not isinstance(found, list) or len(found) > MOST_IDENTIFIERS:
        return ()
    return found if all(isinstance(one, str) and one for one in found) else ()


def list_add(action: Action) -> Result:
    return _change(action, True)


def list_remove(action: Action) -> Result:
    return _change(action, None)


def _change(action: Action, value: bool | None) -> Result:
    """Identifiers that nobody has, and shared ones, which are nobody's, are counted as unknown."""
    people, label = action.people, list_label(action.text("list"))
    identifiers = identifiers_of(action.command.content) or refuse("invalid:identifiers")
    matched = 0
    for key in identifiers:
        owner = people.owners.get(key)
        if owner is None or owner.state == SHARED:
            continue
        matched += 1
        held = people.person(people.root_of(owner.leaf)).labels.get(label)
        if bool(held and held.value) != bool(value):
            _put(action, owner.leaf, label, value)
    return {"matched": matched, "unknown": len(identifiers) - matched}


def list_drop(action: Action) -> Result:
    """Every member leaves, a page of people per command; ``profiles`` are those that the pipeline found for it."""
    people, label = action.people, list_label(action.text("list"))
    members = members_of(action.command.content)
    for root in {people.root_of(one) for one in members if one in people.profiles}:
        for leaf in people.leaves(root):
            held = leaf.state.labels.get(label)
            if held is not None and held.value:
                _put(action, leaf.id, label, None)
    return {"removed": len(members), "more": len(members) >= PAGE}


def _put(action: Action, leaf: str, label: str, value: bool | None) -> None:
    action.write_label(leaf, label, value)
    action.journal.imports[action.people.root_of(leaf)] = action.origin


def with_members(command: Command, members: Sequence[str]) -> Command:
    """The command, with the people that it is about."""
    return replace(command, content={**command.content, MEMBERS: list(members)})


def members_of(content: Mapping[str, Any]) -> Sequence[str]:
    return [str(one) for one in content.get(MEMBERS, ())]
