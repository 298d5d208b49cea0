"""A command on its way to an outcome: what it works on, and how it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from leocdp.domain.decisions import Changes, Command, Snapshot
from leocdp.domain.identity.history import Journal, Origin
from leocdp.domain.identity.working_set import WorkingSet
from leocdp.domain.profiles.state import Register

Result = dict[str, Any]


class Refused(Exception):
    """A command cannot be applied; the text is the reason that its sender is told."""


@dataclass(slots=True)
class Action:
    """A command with all that it works on."""

    command: Command
    people: WorkingSet
    journal: Journal
    snapshot: Snapshot
    changes: Changes
    origin: Origin

    def text(self, name: str) -> str:
        return given(self.command.content, name) or refuse(f"invalid:{name}")

    def root(self, name: str) -> str:
        """The person that a field of the content names by any of their profile ids."""
        profile_id = self.text(name)
        if profile_id not in self.people.profiles:
            refuse("profile_not_found")
        return self.people.root_of(profile_id)

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self.command.content.get(name)
        return value if isinstance(value, Mapping) and value else refuse(f"invalid:{name}")

    def write_label(self, leaf: str, label: str, value: bool | None) -> None:
        """Later than any word of the person on this label, also where the clocks of two servers disagree."""
        people = self.people
        old = people.person(people.root_of(leaf)).labels.get(label)
        at = max(self.command.at, old.at + 1 if old else 0)
        word = Register(value, at, self.command.id, self.command.actor)
        for state in people.states(leaf):
            state.labels[label] = word


def refuse(reason: str) -> NoReturn:
    raise Refused(reason)


def given(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    return value if isinstance(value, str) else ""
