"""The collections of the profile store and their indexes. A step is never changed once released; add another."""

from __future__ import annotations

from typing import Final

from leocdp.adapters.arango.migrations import Collection, Schema, Step, persistent
from leocdp.adapters.arango.profiles.head import COLLECTION, Head
from leocdp.adapters.arango.segments.shards import add_shards
from leocdp.adapters.arango.turns import Ledger, head_document

SLOTS: Final = 5
"""Collections of deduplication keys: three that make up the horizon, the one that is written to, and a spare one."""

_FIRST: Final = Step(
    (
        # The first one; all others lie beside it, so that a transaction concerns one server only.
        Collection(COLLECTION),
        Collection(
            "profiles",
            persistent("profiles_root", "root"),
            # listed: 0 anonymous, 1 identified, null for profiles that were merged away.
            persistent("profiles_last_seen", "listed", "last_seen", "num", stored=("labels",)),
            persistent("profiles_first_seen", "listed", "first_seen", "num", stored=("labels",)),
            persistent("profiles_sorted_name", "listed", "sorted_name", "num", stored=("labels",)),
            persistent("profiles_labels", "labels[*]"),
        ),
        # Key: hash of the identifier; beginning: hex of the first bytes of its value.
        Collection("identifiers", persistent("identifiers_beginning", "beginning")),
        # Key: number of the event, 15 digits.
        Collection("events", persistent("events_leaf", "leaf", "timestamp", "seq")),
        *(Collection(f"messages_{slot}") for slot in range(SLOTS)),
        Collection("history", persistent("history_leaves", "leaves[*]")),
        Collection(
            "reviews",
            persistent("reviews_newest", "state", "at", "num"),
            persistent("reviews_left", "left"),
            persistent("reviews_right", "right"),
        ),
        Collection("commands"),
        Collection("erasures"),
        # The ledger: keyed hashes of identifiers, and for which times of arrival they were an erased person's.
        Collection("erased", persistent("erased_hash", "hash")),
        Collection("outbox", persistent("outbox_profile", "profile")),
        Collection(
            "problems",
            persistent("problems_num", "dead", "num"),
            persistent("problems_message", "message_id", "num"),
        ),
        Collection(
            "figures",
            persistent("figures_series", "metric", "key", "hour"),
            persistent("figures_hour", "metric", "hour"),
        ),
        Collection(
            "searches", persistent("searches_grams", "grams[*]"), persistent("searches_contacts", "contact_grams[*]")
        ),
    ),
    documents=((COLLECTION, head_document(Head())),),
)

_SEGMENTS: Final = Step(
    (
        Collection(
            "profiles",
            # shard: 0 to 63 of people, -1 of profiles that were merged away.
            persistent("profiles_due", "shard", "due"),
            persistent("profiles_generation", "shard", "generation"),
            # sample: null of profiles that were merged away.
            persistent("profiles_sample", "sample", sparse=True),
        ),
        Collection("events", persistent("events_kind", "leaf", "type", "name", "timestamp")),
        # Key: hash of segment and profile; place: hash of the profile.
        Collection(
            "members", persistent("members_segment", "segment", "place"), persistent("members_profile", "profile")
        ),
    ),
    work=add_shards,
)

SCHEMA: Final = Schema("profile store", COLLECTION, (_FIRST, _SEGMENTS), oldest=1)
LEDGER: Final = Ledger(COLLECTION, Head, SCHEMA.collection_names)
