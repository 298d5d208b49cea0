"""Tables of ``profiles.db`` and the steps that lead to them. A step is never changed once released; add another.

Shapes that several tables share:

* a profile id of our own form is kept as its 14 bytes, any other id as text (``codec.pack_id``);
* an identifier key is kept as ``value \\x1f kind[@space]``, so that exact look-up and look-up by the beginning of a
  value, over all kinds, are ranges of one index;
* times are ms since 1970 UTC; ``hour`` is hours since 1970 UTC;
* ``status`` is 1 for identified people, 0 for anonymous ones.
"""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x4C43_4450
"""``LCDP``: the file is ours."""

_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE positions (
    log_id TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL,
    next INTEGER NOT NULL, sequence INTEGER NOT NULL,
    PRIMARY KEY (log_id, topic, partition)
) WITHOUT ROWID;

-- Leaves and roots. merged_into and root are NULL on roots; root is where the pointers end.
-- name is the folded name that lists are sorted by. Blobs come last: the columns before them are read without them.
CREATE TABLE profiles (
    num INTEGER PRIMARY KEY, id BLOB NOT NULL, revision INTEGER NOT NULL, merged_into BLOB, root BLOB,
    created_at INTEGER NOT NULL, status INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,
    name TEXT NOT NULL, labels TEXT, state BLOB NOT NULL, person BLOB
);
CREATE UNIQUE INDEX profiles_id ON profiles (id);
CREATE INDEX profiles_root ON profiles (root) WHERE root IS NOT NULL;
CREATE INDEX profiles_last_seen ON profiles (status, last_seen) WHERE root IS NULL;
CREATE INDEX profiles_first_seen ON profiles (status, first_seen) WHERE root IS NULL;
CREATE INDEX profiles_name ON profiles (status, name) WHERE root IS NULL;
CREATE TABLE labels (label TEXT NOT NULL, num INTEGER NOT NULL, PRIMARY KEY (label, num)) WITHOUT ROWID;
CREATE INDEX labels_num ON labels (num);

CREATE TABLE identifiers (key TEXT PRIMARY KEY, leaf BLOB NOT NULL, state TEXT) WITHOUT ROWID;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY, leaf BLOB, timestamp INTEGER NOT NULL, received_at INTEGER NOT NULL,
    original_timestamp INTEGER, sent_at INTEGER, type TEXT NOT NULL, name TEXT, source TEXT NOT NULL,
    protocol TEXT NOT NULL, message_id TEXT NOT NULL, anonymous_id TEXT, user_id TEXT, body BLOB NOT NULL
);
CREATE INDEX events_leaf ON events (leaf, timestamp) WHERE leaf IS NOT NULL;

-- Each bucket is a table of its own (message hash -> seq of the event), so that it can be dropped whole.
CREATE TABLE dedup_buckets (name TEXT PRIMARY KEY, begins INTEGER NOT NULL, ends INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE history (kind TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE history_of (leaf BLOB NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (leaf, kind, id)) WITHOUT ROWID;
CREATE INDEX history_leaves ON history_of (kind, id);
CREATE TABLE reviews (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, left BLOB NOT NULL, right BLOB NOT NULL, reason TEXT NOT NULL,
    identifier TEXT, message_id TEXT, state TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX reviews_newest ON reviews (state, at, id);
CREATE INDEX reviews_left ON reviews (left);
CREATE INDEX reviews_right ON reviews (right);

CREATE TABLE commands (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, profile BLOB NOT NULL, body BLOB NOT NULL);

CREATE TABLE problems (
    num INTEGER PRIMARY KEY AUTOINCREMENT, outcome TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,
    topic TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL, item INTEGER NOT NULL,
    source TEXT, message_id TEXT, type TEXT, name TEXT, error TEXT NOT NULL, profile BLOB, replayed_at INTEGER,
    payload TEXT NOT NULL, replay BLOB
);
CREATE INDEX problems_outcome ON problems (outcome, num);
CREATE INDEX problems_message ON problems (message_id) WHERE message_id IS NOT NULL;

-- Roll-ups: metric 'events' | 'profiles' | 'identified' with key '', 'name', 'source' and 'members' with a key.
CREATE TABLE rollups (metric TEXT NOT NULL, key TEXT NOT NULL, hour INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (metric, key, hour)) WITHOUT ROWID;
CREATE INDEX rollups_hour ON rollups (metric, hour);
CREATE TABLE catalogue (type TEXT NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL, first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL, properties BLOB NOT NULL, PRIMARY KEY (type, name)) WITHOUT ROWID;
CREATE TABLE sources (source TEXT PRIMARY KEY, last_at INTEGER NOT NULL) WITHOUT ROWID;

-- Search, for roots only: what is searched, the words of names (with an index of their first letters), and trigrams.
CREATE TABLE texts (num INTEGER PRIMARY KEY, name TEXT NOT NULL, ids TEXT NOT NULL, contacts TEXT NOT NULL);
CREATE VIRTUAL TABLE names_fts USING fts5 (name, content = '', prefix = '1 2', columnsize = 0);
CREATE VIRTUAL TABLE texts_fts USING fts5 (
    name, ids, contacts, content = 'texts', content_rowid = 'num', tokenize = 'trigram', columnsize = 0
);
"""

_ERASURES: Final = """
CREATE TABLE erasures (id TEXT PRIMARY KEY, key TEXT NOT NULL, receipt BLOB NOT NULL) WITHOUT ROWID;
-- The ledger: keyed hashes of identifiers, and for which times of arrival they were an erased person's.
CREATE TABLE erased (
    hash TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (hash, since, until)
) WITHOUT ROWID;
CREATE INDEX erased_until ON erased (until);
"""

_SEGMENTS: Final = """
-- What is small comes before the blobs, so that people are found without reading those.
-- sample and generation: domain.segments.audience. On profiles that were merged away generation is 0, due is NULL.
CREATE TABLE people (
    num INTEGER PRIMARY KEY, id BLOB NOT NULL, revision INTEGER NOT NULL, merged_into BLOB, root BLOB,
    created_at INTEGER NOT NULL, status INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,
    name TEXT NOT NULL, labels TEXT, sample INTEGER NOT NULL, generation INTEGER NOT NULL, due INTEGER,
    state BLOB NOT NULL, person BLOB, audience BLOB
);
INSERT INTO people
    SELECT num, id, revision, merged_into, root, created_at, status, first_seen, last_seen, name, labels,
        sample_of(id), 0, NULL, state, person, NULL
    FROM profiles ORDER BY num;
DROP TABLE profiles;
ALTER TABLE people RENAME TO profiles;
CREATE UNIQUE INDEX profiles_id ON profiles (id);
CREATE INDEX profiles_root ON profiles (root) WHERE root IS NOT NULL;
CREATE INDEX profiles_last_seen ON profiles (status, last_seen) WHERE root IS NULL;
CREATE INDEX profiles_first_seen ON profiles (status, first_seen) WHERE root IS NULL;
CREATE INDEX profiles_name ON profiles (status, name) WHERE root IS NULL;
CREATE INDEX profiles_sample ON profiles (sample) WHERE sample < 16 AND root IS NULL;
CREATE INDEX profiles_generation ON profiles (generation, sample) WHERE root IS NULL;
CREATE INDEX profiles_due ON profiles (due, sample) WHERE due IS NOT NULL;

-- Versions of segments as small numbers, with how many members each has. hour: when a member was counted.
CREATE TABLE member_keys (num INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, n INTEGER NOT NULL);
CREATE TABLE members (
    segment INTEGER NOT NULL, profile BLOB NOT NULL, since INTEGER NOT NULL, hour INTEGER NOT NULL,
    PRIMARY KEY (segment, profile)
) WITHOUT ROWID;
CREATE INDEX members_profile ON members (profile);

-- Names and types of a person's events are read without the events. One index, so that an event costs no more.
DROP INDEX events_leaf;
CREATE INDEX events_leaf ON events (leaf, timestamp, seq, type, name) WHERE leaf IS NOT NULL;
"""

MIGRATIONS: Final = (_TABLES, _ERASURES, _SEGMENTS)
"""Step ``n`` leads from version ``n`` to ``n + 1`` of the schema (``PRAGMA user_version``)."""

SCHEMA_VERSION: Final = len(MIGRATIONS)
