"""What a person's row keeps for segments: bounded, so that an event costs what it touches and no history is read.

It lies beside the person's state, on the root, under the root's revision: whoever changes it writes the revision it was
read with. It can always be made again from the person's events (``refresh``), so losing it loses nothing.
"""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

from msgspec import Struct, field

SHARDS: Final = 64
SAMPLES: Final = 1024
MOST_KEPT: Final = 1_000
"""Matches that one node keeps for one person; beyond that the node is computed from the events."""
UNKNOWN: Final = 1
"""Generation of an audience of which nothing can be relied on any more; 0 is one that never had any."""
RECOMPUTE_EVERY_MS: Final = 5_000
"""How often at most the events of one person are read again."""


class Match(Struct, array_like=True, frozen=True):
    """One event that a node counts."""

    at: int
    tie: str
    """Message id: orders matches of one time."""
    value: Any = None
    step: int = 0
    key: Any = None


class NodeState(Struct, omit_defaults=True):
    """Of one event node. Which parts are used depends on the node (``node_state``)."""

    n: int = 0
    """Matches in a span that does not move."""
    kept: list[Match] = field(default_factory=list)
    """Sorted by (at, tie)."""
    cut: bool = False
    """Matches that may matter were left out: only the events can tell."""
    total: list[float] = field(default_factory=list)
    """A sum without rounding: numbers that do not overlap, whose sum it is (``node_state`` says why)."""
    low: float | None = None
    high: float | None = None
    tally: dict[str, int] = field(default_factory=dict)


class Points(Struct, array_like=True, frozen=True):
    """What one metric has given to one score, decayed to the time ``at``."""

    value: float
    at: int
    count: int


class Audience(Struct, omit_defaults=True):
    """The segment side of a person. Treated as a value: copy it before changing it."""

    generation: int = 0
    """The person is as the definitions of this time (ms, the latest change of any of them) want it."""
    due: int | None = None
    """The earliest instant at which an answer may change by itself. None: never."""
    nodes: dict[str, NodeState] = field(default_factory=dict)
    """``node_key`` → state; a node without matches has none."""
    members: dict[str, int] = field(default_factory=dict)
    """``segment id:version`` → since when (ms)."""
    announced: dict[str, int] = field(default_factory=dict)
    """Segment id → since when: what other systems have been told."""
    computed: dict[str, Any] = field(default_factory=dict)
    """Computed trait → its value when it was computed last."""
    scores: dict[str, dict[str, Points]] = field(default_factory=dict)
    """Score → metric → points."""
    stage: str = ""
    """Funnel stage by the metric table."""
    read_at: int = 0
    """When the person's events were read last, and a while for what that cost."""


def shard_of(profile_id: str) -> int:
    """Of the 64 shards of timers: shard s belongs to the owner of partition s mod partitions."""
    return sample_of(profile_id) % SHARDS


def sample_of(profile_id: str) -> int:
    """0 … 1023: the stable sample that previews look at first takes those below 16."""
    return crc32(profile_id.encode("utf-8", "surrogatepass")) % SAMPLES


def member_key(segment_id: str, version: int) -> str:
    """The name under which members of one version of a segment are kept."""
    return f"{segment_id}:{version}"


def list_label(list_id: str) -> str:
    """Members of an imported list carry a label of this form, which people cannot give and lists do not show."""
    return f"\x1flist:{list_id}"


def is_list_label(label: str) -> bool:
    return label.startswith("\x1f")
