"""A batch of events and commands, in the order of the log: what to load for it, and what it changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from leocdp.domain.decisions import Changes, Command, ItemOutcome, LoadRequest, Snapshot
from leocdp.domain.events import Envelope, Outcome
from leocdp.domain.identity.candidates import previous_ids
from leocdp.domain.identity.history import Journal
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.identity.working_set import WorkingSet
from leocdp.domain.privacy.erasure import ERASED, without_erased
from leocdp.domain.segments.catalogue import Catalogue
from leocdp.domain.segments.follow import follow
from leocdp.kit.logs import get_logger
from leocdp_processor.decide.commands import decide_command, needs
from leocdp_processor.decide.events import decide_event
from leocdp_processor.decide.membership import membership_records
from leocdp_processor.decide.outbox import outbox_records

logger = get_logger(__name__)

Item = Envelope | Command

PASSED_OVER = frozenset({"replay", "remove_source", "erase"})
"""Commands that move data about without deciding on anybody."""
NO_SEGMENTS = Catalogue()


def load_request(items: Sequence[Item], rules: IdentityRules, erasures: Iterable[str] = ()) -> LoadRequest:
    """Everything that :func:`decide` will ask the snapshot for, whatever it decides.

    ``erasures``: hashes to look for in the ledger.
    """
    identifiers: set[str] = set()
    dedup_keys: set[bytes] = set()
    trees: set[str] = set()
    merge_ids: set[str] = set()
    command_ids: set[str] = set()
    for item in items:
        if isinstance(item, Envelope):
            dedup_keys.add(item.dedup_key)
            identifiers.update([identifier.key for identifier in item.identifiers])
            identifiers.update([identifier.key for identifier in previous_ids(item, rules)])
        else:
            command_ids.add(item.id)
            wanted = needs(item)
            trees.update(wanted.trees)
            merge_ids.update(wanted.merge_ids)
            identifiers.update(wanted.identifiers)
    return LoadRequest(
        identifiers=frozenset(identifiers),
        dedup_keys=frozenset(dedup_keys),
        profile_ids=frozenset(trees),
        trees=frozenset(trees),
        merge_ids=frozenset(merge_ids),
        command_ids=frozenset(command_ids),
        erasures=frozenset(erasures),
    )


def decide(
    items: Sequence[Item], snapshot: Snapshot, rules: IdentityRules, now: int, catalogue: Catalogue = NO_SEGMENTS
) -> Changes:
    """What a batch changes. Pure: the snapshot is read only, and the same arguments give the same changes.

    Commands that the pipeline itself carries out (``PASSED_OVER``), and those that have an outcome already, are
    passed over. Raises SnapshotIncomplete when a command needs more of a tree than was loaded: decide a smaller batch.
    """
    changes = Changes()
    people = WorkingSet(snapshot, rules)
    journal = Journal()
    dropped: Counter[tuple[str, str]] = Counter()
    seen: set[bytes] = set()
    answered: set[str] = set(snapshot.commands)
    for item in items:
        if isinstance(item, Envelope):
            key = item.dedup_key
            if key in seen or key in snapshot.known:
                changes.problems.append(_not_applied(item, Outcome.DUPLICATE, "known", now))
                continue
            event = without_erased(item, snapshot.erased, people) if snapshot.erased else item
            if event is None:
                changes.problems.append(_not_applied(item, Outcome.FILTERED, ERASED, now))
                continue
            seen.add(key)
            decide_event(event, people, journal, dropped, changes)
        elif item.id not in answered and item.kind not in PASSED_OVER:
            answered.add(item.id)
            changes.commands.append(decide_command(item, people, journal, snapshot, changes, now))
    _conclude(changes, people, journal, dropped)
    followed = follow(catalogue, changes.profiles, snapshot.profiles, changes.events, journal, people.root_of, now)
    for root, error in followed.failed:
        logger.error("segments of a person cannot be told; they are made again", profile=root, exc_info=error)
    changes.members = followed.members
    changes.outbox += membership_records(followed.moves)
    return changes


def _conclude(changes: Changes, people: WorkingSet, journal: Journal, dropped: Counter[tuple[str, str]]) -> None:
    changes.outbox = outbox_records(people, journal)
    changes.names_changed = {people.root_of(profile) for profile in journal.renamed} | journal.renamed
    changes.profiles = people.changed_profiles()
    changes.guards = people.guards()
    changes.absent = people.absent()
    changes.owners = people.owner_writes()
    changes.merges = list(journal.merges.values())
    changes.switches = list(journal.switches.values())
    changes.refusals = list(journal.refusals.values())
    changes.reviews = list(journal.reviews.values())
    changes.dropped_identifiers = dict(dropped)


def _not_applied(event: Envelope, outcome: Outcome, reason: str, now: int) -> ItemOutcome:
    return ItemOutcome(
        outcome=outcome,
        reason=reason,
        at=now,
        address=event.address,
        source_id=event.source.id,
        message_id=event.message_id,
        type=event.type,
        name=event.name,
    )
