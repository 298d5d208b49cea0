"""People's actions: merge, un-merge, consent, labels, the state of an identifier, cannot-links, reviews, lists.

A command is applied or refused with a reason, never an error. Reasons: ``invalid:<field>``, ``unknown_command``,
``profile_not_found``, ``same_person``, ``different_people``, ``merge_not_found``, ``already_undone``,
``identifier_not_found``, ``not_kept_apart``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leocdp.domain.decisions import Changes, Command, CommandOutcome, Snapshot
from leocdp.domain.identity.cells import restated
from leocdp.domain.identity.history import Journal, of_command
from leocdp.domain.identity.limits import kept_apart
from leocdp.domain.identity.merging import lift_cannot_link, merge, note, unmerge
from leocdp.domain.identity.working_set import WorkingSet
from leocdp.domain.profiles.apply import say
from leocdp.domain.profiles.consent import person_consent
from leocdp.domain.profiles.listing import labels_of
from leocdp.domain.segments.audience import is_list_label
from leocdp_processor.decide.action import Action, Refused, Result, given, refuse
from leocdp_processor.decide.lists import identifiers_of, list_add, list_drop, list_remove, members_of


@dataclass(frozen=True, slots=True)
class Needs:
    """What a command needs to see."""

    trees: Sequence[str] = ()
    merge_ids: Sequence[str] = ()
    identifiers: Sequence[str] = ()


def needs(command: Command) -> Needs:
    content = command.content
    if command.kind in ("list_add", "list_remove"):
        return Needs(identifiers=identifiers_of(content))
    if command.kind == "list_drop":
        return Needs(trees=members_of(content))
    trees = tuple(value for name in ("profile", "with") if (value := given(content, name)))
    merge_id, identifier = given(content, "merge_id"), given(content, "identifier")
    return Needs(
        trees,
        (merge_id,) if command.kind == "unmerge" and merge_id else (),
        (identifier,) if command.kind == "identifier_state" and identifier else (),
    )


def decide_command(
    command: Command, people: WorkingSet, journal: Journal, snapshot: Snapshot, changes: Changes, now: int
) -> CommandOutcome:
    """Apply a command, or refuse it. Raises SnapshotIncomplete."""
    action = Action(command, people, journal, snapshot, changes, of_command(command))
    try:
        handler = _HANDLERS.get(command.kind)
        result = handler(action) if handler else refuse("unknown_command")
    except Refused as refused:
        return CommandOutcome(command.id, command.kind, "refused", now, command.actor, {}, str(refused))
    return CommandOutcome(command.id, command.kind, "applied", now, command.actor, result)


def _merge(action: Action) -> Result:
    """A person's word stands above limits and caps, and lifts a cannot-link that stands against it."""
    one, other = action.root("profile"), action.root("with")
    if one == other:
        refuse("same_person")
    people = action.people
    if kept_apart(people.profiles[one], people.profiles[other]):
        lift_cannot_link(people, one, other, action.origin)
    record = merge(people, action.journal, action.origin, one, other, None)
    return {"merge_id": record.id, "into": record.into, "from": record.source}


def _unmerge(action: Action) -> Result:
    merge_id = action.text("merge_id")
    wish = action.command.content.get("identifier", "keep")
    if wish not in ("keep", "shared"):
        refuse("invalid:identifier")
    record = action.journal.merges.get(merge_id) or action.snapshot.merges.get(merge_id)
    if record is None:
        refuse("merge_not_found")
    if record.undone_at is not None or action.people.profiles[record.source].merged_into != record.into:
        refuse("already_undone")
    rest, top = unmerge(action.people, action.journal, action.origin, record)
    if wish == "shared" and record.identifier:
        _share_connecting(action, record.identifier, (rest, top))
    return {"profiles": [rest, top]}


def _share_connecting(action: Action, key: str, roots: tuple[str, str]) -> None:
    """Make the identifier that connected the two resolve nobody any more, unless it went to others since."""
    people = action.people
    if people.learn_owner(key, [leaf for root in roots for leaf in people.leaves(root)]):
        _set_state(action, key, "shared")


def _consent(action: Action) -> Result:
    """Speaks for every identifier of the person, and for those that an earlier word came by and that left since."""
    root, wishes = action.root("profile"), action.mapping("consents")
    words = {str(purpose): wish == "granted" for purpose, wish in wishes.items()}
    if any(wish not in ("granted", "denied") for wish in wishes.values()):
        refuse("invalid:consents")
    people = action.people
    before = [person_consent(people.person(root), purpose).status for purpose in sorted(words)]
    for leaf in people.leaves(root):
        _say_for_leaf(action, leaf.id, words)
    if not people.person(root).identifiers:
        _say(action, root, words, f"profile:{root}")
    after = [person_consent(people.person(root), purpose).status for purpose in sorted(words)]
    if before != after:
        note(people, action.journal, action.origin, "consent_changed", root, changed=tuple(sorted(words)))
    return {"profile_id": root}


def _say_for_leaf(action: Action, leaf: str, words: Mapping[str, bool]) -> None:
    """Each leaf keeps the words of its own identifiers, so that they go with it when it is un-merged."""
    state = action.people.profiles[leaf].state
    for purpose, granted in words.items():
        for key in sorted({*state.identifiers, *state.consents.get(purpose, ())}):
            _say(action, leaf, {purpose: granted}, key)


def _say(action: Action, leaf: str, words: Mapping[str, bool], key: str) -> None:
    for state in action.people.states(leaf):
        say(state, words, (key,), action.command.at, action.command.actor)


def _label(action: Action) -> Result:
    root, labels = action.root("profile"), action.command.content.get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) and label for label in labels):
        refuse("invalid:labels")
    if any(map(is_list_label, labels)):
        refuse("invalid:labels")
    has = set(labels_of(action.people.person(root)))
    wanted = set(labels)
    for label in sorted(wanted - has):
        action.write_label(action.text("profile"), label, True)
    for leaf in action.people.leaves(root) if has - wanted else ():
        for label in sorted(has - wanted):
            if label in leaf.state.labels:
                action.write_label(leaf.id, label, None)
    if has != wanted:
        changed = tuple(sorted(has ^ wanted))
        note(action.people, action.journal, action.origin, "labels_changed", root, changed=changed)
    return {"profile_id": root}


def _identifier_state(action: Action) -> Result:
    key, state = action.text("identifier"), action.text("state")
    if state not in ("active", "shared"):
        refuse("invalid:state")
    if key not in action.people.owners:
        refuse("identifier_not_found")
    _set_state(action, key, state)
    return {"identifier": key, "state": state}


def _set_state(action: Action, key: str, state: str) -> None:
    people = action.people
    owner = people.owners[key]
    root = people.root_of(owner.leaf)
    if owner.state == state:
        return
    people.put(key, owner.leaf, restated(people.cell(key), state))
    action.journal.renamed.add(root)
    if state == "shared":
        note(people, action.journal, action.origin, "identifier_shared", root)


def _lift(action: Action) -> Result:
    one, other = action.root("profile"), action.root("with")
    if one == other:
        refuse("same_person")
    if not lift_cannot_link(action.people, one, other, action.origin):
        refuse("not_kept_apart")
    return {"profile_id": one}


def _review(action: Action) -> Result:
    review_id, state = action.text("id"), action.text("state")
    if state not in ("rejected", "open"):
        refuse("invalid:state")
    action.changes.review_states[review_id] = state
    return {"id": review_id, "state": state}


_HANDLERS = {
    "merge": _merge,
    "unmerge": _unmerge,
    "consent": _consent,
    "label": _label,
    "identifier_state": _identifier_state,
    "lift_cannot_link": _lift,
    "review": _review,
    "list_add": list_add,
    "list_remove": list_remove,
    "list_drop": list_drop,
}
