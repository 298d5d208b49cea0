"""Which messages are known already: keys in collections that are emptied whole when the horizon has passed.

A commit writes to the newest bucket only, by the time of the commit, so an older bucket never changes and what was
not in it stays not in it. Buckets take turns in a fixed ring of collections: nothing is created while work goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from threading import Lock
from typing import Final

from leocdp.adapters.arango.profiles.head import Bucket, Head
from leocdp.adapters.arango.profiles.schema import SLOTS

BUCKETS_PER_HORIZON: Final = 3
_HOUR: Final = 3_600_000
_REMEMBERED: Final = 200_000


def collection(bucket: Bucket) -> str:
    return f"messages_{bucket.slot}"


def bucket_for(head: Head, now: int, horizon_ms: int) -> tuple[Bucket, bool]:
    """The bucket to write to, and whether it is a new one. Without a free collection the newest bucket goes on."""
    newest = head.buckets[-1] if head.buckets else None
    if newest is not None and now < newest.ends:
        return newest, False
    width = max(horizon_ms // BUCKETS_PER_HORIZON, _HOUR)
    begins = now - now % _HOUR
    taken = {bucket.slot for bucket in head.buckets} | set(head.retired)
    free = [slot for slot in range(SLOTS) if slot not in taken]
    if newest is not None and not free:
        newest.ends = begins + width
        return newest, False
    bucket = Bucket(free[0], begins, begins + width)
    head.buckets.append(bucket)
    return bucket, True


def expired(head: Head, now: int, horizon_ms: int) -> list[Bucket]:
    return [bucket for bucket in head.buckets if bucket.ends + horizon_ms <= now]


class Absent:
    """Keys that loads did not find, so that commits need to look into the newest bucket only. Shared by threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest: int | None = None
        self._keys: set[bytes] = set()

    def note(self, keys: Collection[bytes], buckets: Sequence[Bucket]) -> None:
        """``keys`` were in none of the ``buckets``."""
        newest = buckets[-1].begins if buckets else None
        with self._lock:
            if newest != self._newest or len(self._keys) + len(keys) > _REMEMBERED:
                self._keys.clear()
            self._newest = newest
            self._keys.update(keys)

    def unsure(self, keys: Collection[bytes], newest: int | None) -> list[bytes]:
        """Those of the keys that may be in an older bucket than the one that begins at ``newest``."""
        with self._lock:
            return [key for key in keys if newest != self._newest or key not in self._keys]

    def forget(self, keys: Collection[bytes]) -> None:
        with self._lock:
            self._keys.difference_update(keys)
