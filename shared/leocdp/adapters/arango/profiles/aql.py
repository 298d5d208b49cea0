"""Every query of the profile store. Values are always bound; nothing is ever put into a text.

Rules that all of them keep, so that they mean the same on 3.11, 3.12 and 4.0 and stay on an index:

* reading only: documents are written through the document API, in transactions;
* a keyset page has its range as plain comparisons and its tie as a ternary: an OR would be turned into several index
  ranges and the order of the index be lost;
* SORT repeats the equalities in front of the sorted attributes, so that the index serves it also where the value
  comes from a loop around it;
* strings are compared with ``<`` only where they are hex or digits, because collations differ between engines.
"""

from __future__ import annotations

from typing import Final

# Load and commit

LOAD: Final = """
LET owners = (
  FOR i IN identifiers FILTER i._key IN @identifiers
  RETURN {key: i._key, leaf: i.leaf, state: i.state}
)
LET merges = (FOR h IN history FILTER h._key IN @merges RETURN h.body)
LET whole = UNION_DISTINCT(@trees, (FOR m IN merges RETURN m.source))
LET named = UNION_DISTINCT(@profiles, whole, (FOR o IN owners RETURN o.leaf))
LET found = (FOR p IN profiles FILTER p._key IN named RETURN p)
LET above = MINUS((FOR p IN found RETURN DISTINCT p.root), named)
LET roots = (FOR p IN profiles FILTER p._key IN above RETURN p)
LET tops = (FOR p IN found FILTER p._key IN whole RETURN DISTINCT p.root)
LET leaves = (FOR p IN profiles FILTER p.root IN tops RETURN p)
LET known = UNION(
  (FOR m IN messages_0 FILTER m._key IN @messages RETURN m._key),
  (FOR m IN messages_1 FILTER m._key IN @messages RETURN m._key),
  (FOR m IN messages_2 FILTER m._key IN @messages RETURN m._key),
  (FOR m IN messages_3 FILTER m._key IN @messages RETURN m._key),
  (FOR m IN messages_4 FILTER m._key IN @messages RETURN m._key)
)
LET outcomes = (FOR c IN commands FILTER c._key IN @commands RETURN c.id)
LET gone = (FOR e IN erased FILTER e.hash IN @erasures RETURN {hash: e.hash, begins: e.begins, ends: e.ends})
LET head = FIRST(
  FOR l IN ledger FILTER l._key == "head"
    RETURN {buckets: l.buckets, erased_until: l.erased_until}
)
RETURN {owners, merges, profiles: found, roots, leaves, known, outcomes, gone, head}
"""
"""All that a batch can see, as one snapshot. ``trees`` are profiles whose whole person is wanted."""

CHECK: Final = """
LET heads = (
  FOR p IN profiles FILTER p._key IN @profiles
  RETURN {
    id: p._key, rev: p._rev, num: p.num, revision: p.revision, merged_into: p.merged_into, root: p.root,
    status: p.status, first_seen: p.first_seen, last_seen: p.last_seen, sorted_name: p.sorted_name
  }
)
LET owners = (
  FOR i IN identifiers FILTER i._key IN @identifiers
  RETURN {key: i._key, rev: i._rev, leaf: i.leaf, state: i.state}
)
LET known = UNION(
  (FOR m IN messages_0 FILTER m._key IN @messages RETURN m._key),
  (FOR m IN messages_1 FILTER m._key IN @messages RETURN m._key),
  (FOR m IN messages_2 FILTER m._key IN @messages RETURN m._key),
  (FOR m IN messages_3 FILTER m._key IN @messages RETURN m._key),
  (FOR m IN messages_4 FILTER m._key IN @messages RETURN m._key)
)
LET reviewed = (FOR r IN reviews FILTER r._key IN @reviews RETURN r._key)
LET here = (
  FOR m IN members FILTER m._key IN @members
  RETURN {key: m._key, segment: m.segment, profile: m.profile, since: m.since, hour: m.hour}
)
LET leaving = (
  FOR one IN @leaving
    FOR m IN members FILTER m.profile == one
    RETURN {key: m._key, segment: m.segment, profile: m.profile, since: m.since, hour: m.hour}
)
LET touched = UNION_DISTINCT(@segments, (FOR m IN leaving RETURN m.segment))
LET counted = (FOR f IN figures FILTER f._key IN @figures RETURN f)
LET sizes = (
  FOR f IN figures FILTER f.metric IN @sizes AND f.key IN touched AND f.hour IN @hours
  RETURN f
)
RETURN {heads, owners, known, reviewed, here, leaving, counted, sizes}
"""
"""What a commit compares and adds to. It runs in the commit's transaction, after the turn was taken."""

MEMBERS: Final = """
FOR p IN profiles FILTER p.root IN @roots
  RETURN {id: p._key, rev: p._rev, merged_into: p.merged_into, root: p.root}
"""
"""Everybody under the given roots, the roots included."""

PENDING_OUTBOX: Final = """
FOR o IN outbox
  SORT o._key ASC
  FILTER o.owner == @owner ? true : o.stored_at < @before
  LIMIT @limit
  RETURN {seq: o.seq, record: o.record}
"""
"""Those of one's own commits, and those that their owner should have published long ago."""

REPLAY_RECORDS: Final = """
FOR p IN problems FILTER p._key IN @keys AND p.dead == true AND p.replayed_at == null
  RETURN {key: p._key, num: p.num, replay: p.replay}
"""
"""Of the dead letters that have not been replayed yet."""

LAST_KEPT_PROBLEM: Final = """
FOR p IN problems FILTER p.dead == @dead
  SORT p.dead DESC, p.num DESC
  LIMIT @kept, 1
  RETURN p.num
"""
"""Number of the newest problem event that is one too many."""

OLD_PROBLEMS: Final = """
FOR p IN problems FILTER p.dead == @dead AND p.num <= @num
  SORT p.dead ASC, p.num ASC
  LIMIT @limit
  RETURN {key: p._key, waiting: p.replayed_at == null}
"""

OLD_FIGURES: Final = """
FOR f IN figures FILTER f.metric == @metric AND f.hour < @hour
  LIMIT @limit
  RETURN f._key
"""

# People

ROOT_OF_IDENTIFIER: Final = """
FOR i IN identifiers FILTER i._key == @key
  FOR p IN profiles FILTER p._key == i.leaf
    FOR r IN profiles FILTER r._key == p.root
      RETURN r
"""

ROOT_OF_PROFILE: Final = """
FOR p IN profiles FILTER p._key == @id
  FOR r IN profiles FILTER r._key == p.root
    RETURN r
"""

TREE: Final = """
FOR p IN profiles FILTER p.root == @root
  RETURN p
"""

PEOPLE_BY_LAST_SEEN: Final = """
FOR status IN @statuses
  LET page = (
    FOR p IN profiles OPTIONS {indexHint: "profiles_last_seen"}
      FILTER p.listed == status AND p.last_seen <= @value
      FILTER p.last_seen == @value ? p.num < @num : true
      FILTER @label == "" ? true : POSITION(p.labels, @label)
      SORT p.listed DESC, p.last_seen DESC, p.num DESC
      LIMIT @limit
      RETURN {id: p._key, value: p.last_seen, num: p.num}
  )
  FOR place IN page
    SORT place.value DESC, place.num DESC
    LIMIT @limit
    RETURN place
"""

PEOPLE_BY_FIRST_SEEN: Final = """
FOR status IN @statuses
  LET page = (
    FOR p IN profiles OPTIONS {indexHint: "profiles_first_seen"}
      FILTER p.listed == status AND p.first_seen <= @value
      FILTER p.first_seen == @value ? p.num < @num : true
      FILTER @label == "" ? true : POSITION(p.labels, @label)
      SORT p.listed DESC, p.first_seen DESC, p.num DESC
      LIMIT @limit
      RETURN {id: p._key, value: p.first_seen, num: p.num}
  )
  FOR place IN page
    SORT place.value DESC, place.num DESC
    LIMIT @limit
    RETURN place
"""

PEOPLE_BY_NAME: Final = """
FOR status IN @statuses
  LET page = (
    FOR p IN profiles OPTIONS {indexHint: "profiles_sorted_name"}
      FILTER p.listed == status AND p.sorted_name >= @value
      FILTER p.sorted_name == @value ? p.num > @num : true
      FILTER @label == "" ? true : POSITION(p.labels, @label)
      SORT p.listed ASC, p.sorted_name ASC, p.num ASC
      LIMIT @limit
      RETURN {id: p._key, value: p.sorted_name, num: p.num}
  )
  FOR place IN page
    SORT place.value ASC, place.num ASC
    LIMIT @limit
    RETURN place
"""

LABELLED: Final = """
FOR p IN profiles FILTER @label IN p.labels
  LIMIT @limit
  RETURN {
    id: p._key, num: p.num, status: p.listed, last_seen: p.last_seen, first_seen: p.first_seen,
    sorted_name: p.sorted_name
  }
"""
"""People with a label; profiles that were merged away have none."""

COUNT_PEOPLE: Final = """
FOR status IN @statuses
  RETURN LENGTH(
    FOR p IN profiles FILTER p.listed == status
      LIMIT @limit
      RETURN 1
  )
"""

PLACES: Final = """
FOR p IN profiles FILTER p._key IN @ids AND p.listed != null
  RETURN {
    id: p._key, num: p.num, status: p.listed, last_seen: p.last_seen, first_seen: p.first_seen,
    sorted_name: p.sorted_name, labels: p.labels
  }
"""

PEOPLE: Final = """
FOR p IN profiles FILTER p._key IN @ids
  RETURN p
"""

# Searches

ROOTS_OF: Final = """
FOR p IN profiles FILTER p._key IN @ids
  RETURN DISTINCT p.root
"""

OWNERS_OF_VALUE: Final = """
FOR i IN identifiers FILTER i.beginning IN @beginnings
  LIMIT @limit
  RETURN {key: i.key, leaf: i.leaf}
"""

OWNERS_BETWEEN: Final = """
FOR i IN identifiers FILTER i.beginning >= @low AND i.beginning < @high
  SORT i.beginning ASC
  LIMIT @limit
  RETURN {key: i.key, leaf: i.leaf}
"""

GRAM_SIZES: Final = """
FOR gram IN @grams
  RETURN LENGTH(
    FOR s IN searches FILTER gram IN s.grams
      LIMIT @limit
      RETURN 1
  )
"""
"""How many people have each of the grams, as far as it is counted."""

CONTACT_GRAM_SIZES: Final = """
FOR gram IN @grams
  RETURN LENGTH(
    FOR s IN searches FILTER gram IN s.contact_grams
      LIMIT @limit
      RETURN 1
  )
"""

NAMES_WITH: Final = """
FOR s IN searches FILTER @gram IN s.grams
  LIMIT @looked_at
  FILTER CONTAINS(s.words, @part)
  LIMIT @limit
  RETURN s._key
"""

TEXTS_WITH: Final = """
FOR s IN searches FILTER @gram IN s.grams
  LIMIT @looked_at
  FILTER CONTAINS(s.name, @part) OR CONTAINS(s.ids, @part)
  LIMIT @limit
  RETURN s._key
"""

CONTACTS_WITH: Final = """
FOR s IN searches FILTER @gram IN s.contact_grams
  LIMIT @looked_at
  FILTER CONTAINS(s.contacts, @part)
  LIMIT @limit
  RETURN s._key
"""

# Events

TIMELINE: Final = """
FOR leaf IN @leaves
  LET page = (
    FOR e IN events OPTIONS {indexHint: "events_leaf"}
      FILTER e.leaf == leaf AND e.timestamp >= @from AND e.timestamp <= @to
      FILTER e.timestamp == @to ? e.seq < @seq : true
      FILTER @name == "" ? true : e.name == @name
      FILTER @type == "" ? true : e.type == @type
      SORT e.leaf DESC, e.timestamp DESC, e.seq DESC
      LIMIT @limit
      RETURN {key: e._key, at: e.timestamp, seq: e.seq}
  )
  FOR place IN page
    SORT place.at DESC, place.seq DESC
    LIMIT @limit
    RETURN place
"""
"""Places only: leaf by leaf, so that each reads no more than a page of its range of the index."""

EVENTS: Final = """
FOR e IN events FILTER e._key IN @keys
  RETURN e
"""

EVENTS_OF_MESSAGES: Final = """
LET keys = UNION(
  (FOR m IN messages_0 FILTER m._key IN @messages RETURN m.event),
  (FOR m IN messages_1 FILTER m._key IN @messages RETURN m.event),
  (FOR m IN messages_2 FILTER m._key IN @messages RETURN m.event),
  (FOR m IN messages_3 FILTER m._key IN @messages RETURN m.event),
  (FOR m IN messages_4 FILTER m._key IN @messages RETURN m.event)
)
FOR e IN events FILTER e._key IN keys
  RETURN e
"""

NEWEST_EVENTS: Final = """
FOR e IN events FILTER e._key > @after
  SORT e._key DESC
  LIMIT @looked_at
  FILTER @source == "" ? true : e.source == @source
  FILTER @name == "" ? true : e.name == @name
  LIMIT @limit
  RETURN e
"""

PROBLEMS: Final = """
FOR p IN problems FILTER p._key > @after AND p._key < @before
  SORT p._key DESC
  FILTER @outcome == "" ? true : p.outcome == @outcome
  FILTER @reason == "" ? true : p.reason == @reason
  FILTER @source == "" ? true : p.source == @source
  LIMIT @limit
  RETURN UNSET(p, "replay")
"""
"""The collection is bounded, so a filter may walk it."""

PROBLEMS_OF_MESSAGE: Final = """
FOR p IN problems FILTER p.message_id == @message_id
  SORT p.message_id DESC, p.num DESC
  FILTER POSITION(@sources, p.source)
  LIMIT 1
  RETURN UNSET(p, "replay")
"""

# Identity

HISTORY: Final = """
FOR leaf IN @leaves
  FOR h IN history FILTER leaf IN h.leaves
    RETURN DISTINCT {key: h._key, kind: h.kind, at: h.at, id: h.id, body: h.body}
"""

REVIEWS: Final = """
FOR r IN reviews OPTIONS {indexHint: "reviews_newest"}
  FILTER r.state == @state AND r.at <= @at
  FILTER r.at == @at ? r.num < @num : true
  SORT r.state DESC, r.at DESC, r.num DESC
  LET one = FIRST(FOR p IN profiles FILTER p._key == r.left RETURN p.root)
  LET other = FIRST(FOR p IN profiles FILTER p._key == r.right RETURN p.root)
  LET united = NOT_NULL(one, r.left) == NOT_NULL(other, r.right)
  FILTER @united == null ? true : united == @united
  LIMIT @limit
  RETURN {
    id: r.id, at: r.at, num: r.num, left: NOT_NULL(one, r.left), right: NOT_NULL(other, r.right),
    reason: r.reason, identifier: r.identifier, state: united ? "merged" : r.state
  }
"""

COMMAND: Final = """
FOR c IN commands FILTER c._key == @key
  RETURN c.body
"""

# Figures

SERIES: Final = """
FOR f IN figures FILTER f.metric == @metric AND f.key == @key AND f.hour >= @since
  COLLECT at = FLOOR(f.hour / @span) AGGREGATE total = SUM(f.n)
  FILTER total != 0
  SORT at ASC
  RETURN {at, total}
"""

TOP: Final = """
FOR f IN figures OPTIONS {indexHint: "figures_hour"}
  FILTER f.metric == @metric AND f.hour >= @since
  COLLECT key = f.key AGGREGATE total = SUM(f.n)
  SORT total DESC, key ASC
  LIMIT @limit
  RETURN {key, total}
"""

CATALOGUE: Final = """
FOR f IN figures FILTER f.metric == "catalogue"
  RETURN f
"""

LAST_EVENT: Final = """
FOR f IN figures FILTER f._key == @key
  RETURN f.last_at
"""

# Digest

ROOTS_AFTER: Final = """
FOR p IN profiles FILTER p._key > @after
  SORT p._key ASC
  LIMIT @limit
  RETURN p.merged_into == null ? p : {_key: p._key, merged_into: p.merged_into}
"""

EVENTS_OF_LEAVES: Final = """
FOR leaf IN @leaves
  FOR e IN events OPTIONS {indexHint: "events_leaf"}
    FILTER e.leaf == leaf
    RETURN {leaf: e.leaf, received_at: e.received_at, source: e.source, message_id: e.message_id}
"""

EVENTS_OF_NOBODY: Final = """
FOR e IN events OPTIONS {indexHint: "events_leaf"}
  FILTER e.leaf == null AND e.timestamp >= @at
  FILTER e.timestamp == @at ? e.seq > @seq : true
  SORT e.leaf ASC, e.timestamp ASC, e.seq ASC
  LIMIT @limit
  RETURN {at: e.timestamp, seq: e.seq, received_at: e.received_at, source: e.source, message_id: e.message_id}
"""

# Removal

EVENTS_AFTER: Final = """
FOR e IN events FILTER e._key > @after
  SORT e._key ASC
  LIMIT @limit
  RETURN {key: e._key, leaf: e.leaf, source: e.source}
"""

TREES_OF: Final = """
LET roots = (FOR p IN profiles FILTER p._key IN @leaves RETURN DISTINCT p.root)
FOR p IN profiles FILTER p.root IN roots
  RETURN {id: p._key, root: p.root}
"""

KNOWN_ELSEWHERE: Final = """
FOR leaf IN @leaves
  LET other = (
    FOR e IN events OPTIONS {indexHint: "events_leaf"}
      FILTER e.leaf == leaf
      FILTER e.source != @source
      LIMIT 1
      RETURN 1
  )
  FILTER LENGTH(other) > 0
  RETURN leaf
"""

FIRST_OF_SOURCE: Final = """
FOR leaf IN @leaves
  FOR e IN events OPTIONS {indexHint: "events_leaf"}
    FILTER e.leaf == leaf
    FILTER e.source == @source
    COLLECT whose = leaf AGGREGATE earliest = MIN(e.seq)
    RETURN {leaf: whose, seq: earliest}
"""

EVENTS_TO_REMOVE: Final = """
FOR leaf IN @leaves
  FOR e IN events OPTIONS {indexHint: "events_leaf"}
    FILTER e.leaf == leaf
    RETURN {
      key: e._key, timestamp: e.timestamp, received_at: e.received_at, source: e.source, type: e.type, name: e.name,
      message_id: e.message_id
    }
"""

OWNERS: Final = """
FOR i IN identifiers FILTER i._key IN @keys
  RETURN {key: i._key, leaf: i.leaf}
"""

FIGURES: Final = """
FOR f IN figures FILTER f._key IN @keys
  RETURN f
"""

TRACES: Final = """
LET histories = (FOR leaf IN @leaves FOR h IN history FILTER leaf IN h.leaves RETURN DISTINCT h._key)
LET lefts = (FOR leaf IN @leaves FOR r IN reviews FILTER r.left == leaf RETURN r._key)
LET rights = (FOR leaf IN @leaves FOR r IN reviews FILTER r.right == leaf RETURN r._key)
LET records = (FOR leaf IN @leaves FOR o IN outbox FILTER o.profile == leaf RETURN o._key)
RETURN {histories, reviews: UNION_DISTINCT(lefts, rights), records}
"""
"""History, reviews, and outbox records that nobody has read yet."""

PROBLEMS_OF_SOURCE: Final = """
FOR p IN problems FILTER p._key > @after AND p.source == @source
  SORT p._key ASC
  LIMIT @limit
  RETURN {key: p._key, dead: p.dead, waiting: p.replayed_at == null}
"""

SOURCE_IS_COUNTED: Final = """
FOR f IN figures FILTER f.metric == "source" AND f.key == @source AND f.n > 0
  LIMIT 1
  RETURN 1
"""

# Erasure

REVISIONS: Final = """
FOR p IN profiles FILTER p._key IN @ids AND p.merged_into == null
  RETURN {id: p._key, revision: p.revision}
"""

PROBLEM_TEXTS: Final = """
FOR p IN problems FILTER p._key > @after
  SORT p._key ASC
  LIMIT @limit
  RETURN {key: p._key, profile: p.profile, payload: p.payload, error: p.error}
"""

PROBLEMS_OF_MESSAGES: Final = """
FOR p IN problems FILTER p.message_id IN @messages
  RETURN {key: p._key, source: p.source, message_id: p.message_id}
"""

PROBLEM_STATES: Final = """
FOR p IN problems FILTER p._key IN @keys
  RETURN {key: p._key, dead: p.dead, waiting: p.replayed_at == null}
"""

RECEIPT: Final = """
FOR e IN erasures FILTER e._key == @key
  RETURN e.receipt
"""

IDENTIFIERS_AFTER: Final = """
FOR i IN identifiers FILTER i._key > @after
  SORT i._key ASC
  LIMIT @limit
  RETURN {key: i.key, leaf: i.leaf}
"""
