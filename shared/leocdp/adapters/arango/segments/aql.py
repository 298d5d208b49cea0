"""Fixed queries of segments, by the rules of ``profiles.aql``. Conditions are printed by ``segments.printer``."""

from __future__ import annotations

from typing import Final

# The segment side of people

WITHOUT_SHARD: Final = """
FOR p IN profiles FILTER p.shard == null
  LIMIT @limit
  RETURN {id: p._key, rev: p._rev, merged: p.merged_into != null}
"""
"""Documents of a program that knew no segments: nobody else's have no shard."""

PEOPLE_DUE: Final = """
FOR shard IN @shards
  LET page = (
    FOR p IN profiles OPTIONS {indexHint: "profiles_due"}
      FILTER p.shard == shard AND p.due >= @first AND p.due <= @now
      SORT p.shard ASC, p.due ASC
      LIMIT @limit
      RETURN {id: p._key, due: p.due}
  )
  FOR one IN page
    SORT one.due ASC
    LIMIT @limit
    RETURN one.id
"""

PEOPLE_BEHIND: Final = """
FOR shard IN @shards
  FOR p IN profiles OPTIONS {indexHint: "profiles_generation"}
    FILTER p.shard == shard AND p.generation < @generation
    LIMIT @limit
    RETURN p._key
"""

COUNT_BEHIND: Final = """
FOR shard IN @shards
  RETURN LENGTH(
    FOR p IN profiles OPTIONS {indexHint: "profiles_generation"}
      FILTER p.shard == shard AND p.generation < @generation
      LIMIT @limit
      RETURN 1
  )
"""

FACTS: Final = """
FOR leaf IN @leaves
  LET named = (
    FOR e IN events OPTIONS {indexHint: "events_kind"}
      FILTER e.leaf == leaf AND e.type IN @named AND e.name IN @names
      RETURN {leaf, at: e.timestamp, id: e.message_id, type: e.type, name: e.name, properties: e.body.properties}
  )
  LET typed = (
    FOR e IN events OPTIONS {indexHint: "events_kind"}
      FILTER e.leaf == leaf AND e.type IN @types
      RETURN {leaf, at: e.timestamp, id: e.message_id, type: e.type, name: e.name, properties: e.body.properties}
  )
  FOR fact IN UNION(named, typed)
    RETURN fact
"""
"""``named`` and ``types`` have no type in common."""

# Members

MEMBERS_AFTER: Final = """
FOR m IN members FILTER m.segment == @segment AND m.place > @after
  SORT m.segment ASC, m.place ASC
  LIMIT @limit
  RETURN {profile: m.profile, since: m.since, place: m.place}
"""

MEMBERS_OF: Final = """
FOR one IN @profiles
  FOR m IN members FILTER m.profile == one
    RETURN {key: m._key, segment: m.segment, hour: m.hour}
"""

OVERLAP: Final = """
FOR segment IN @segments
  FOR m IN members FILTER m.segment == segment AND m.place >= @from AND m.place < @to
    COLLECT place = m.place AGGREGATE held = SORTED_UNIQUE(m.segment)
    COLLECT keys = held WITH COUNT INTO n
    RETURN {keys, n}
"""

MEMBER_TOTAL: Final = """
FOR f IN figures FILTER f._key == @key
  RETURN f.n
"""

MEMBER_CHANGES: Final = """
LET total = FIRST(FOR f IN figures FILTER f._key == @key RETURN f.n)
LET changes = (
  FOR f IN figures FILTER f.metric == "members" AND f.key == @segment AND f.hour >= @since
    RETURN {hour: f.hour, n: f.n}
)
RETURN {total, changes}
"""

# Conditions put to everybody

PEOPLE_BY_KEY: Final = """
FOR key IN @keys
  FOR p IN profiles FILTER p._key == key
  RETURN p
"""

SAMPLED_PEOPLE: Final = """
FOR p IN profiles OPTIONS {indexHint: "profiles_sample"}
  FILTER p.sample >= 0 AND p.sample <= @last
  COLLECT WITH COUNT INTO n
  RETURN n
"""
