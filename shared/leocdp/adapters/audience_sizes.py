"""What all stores say in the same way about sizes: estimates from the sample, and the curve of a segment."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, sqrt
from typing import Final, Literal

from leocdp.domain.profiles.counting import HOUR_MS
from leocdp.ports.profile_reader import Bucket, Size

SAMPLED: Final = 16
"""People whose ``audience.sample_of`` is below stand for all 1,024 parts."""
SMALL: Final = 20_000
"""Up to so many people a preview asks all of them."""
_Z: Final = 1.96
_SPANS: Final = {"hour": 1, "day": 24}


def estimate(hits: int, looked_at: int, people: int) -> Size:
    """From ``hits`` among ``looked_at`` people of the sample: the share, and the larger half of Wilson's 95 % interval
    (E. B. Wilson 1927), narrowed by the share of all people that the sample is."""
    if looked_at >= people:
        return Size(hits, exact=True)
    if looked_at == 0:
        return Size(0, exact=False, error=people)
    share = hits / looked_at
    spread = _Z * sqrt(share * (1 - share) / looked_at + _Z * _Z / (4 * looked_at * looked_at))
    middle = share + _Z * _Z / (2 * looked_at)
    widest = (abs(middle - share * (1 + _Z * _Z / looked_at)) + spread) / (1 + _Z * _Z / looked_at)
    rest = sqrt((people - looked_at) / people)
    return Size(round(share * people), exact=False, error=ceil(widest * rest * people))


def hour_of_bucket(since: int, bucket: Literal["hour", "day"]) -> int:
    """Hours since 1970 at which the bucket begins that ``since`` lies in."""
    span = _SPANS[bucket]
    return since // (HOUR_MS * span) * span


def size_series(
    total: int, changes: Iterable[tuple[int, int]], since: int, bucket: Literal["hour", "day"]
) -> list[Bucket]:
    """Sizes at the ends of buckets. ``total``: the size now; ``changes``: (hour, by how many) from the bucket of
    ``since`` on. The first one is that bucket, whether or not it changed."""
    span, first = _SPANS[bucket], hour_of_bucket(since, bucket)
    grown: dict[int, int] = {first: 0}
    for hour, n in changes:
        start = hour // span * span
        grown[start] = grown.get(start, 0) + n
    size = total - sum(grown.values())
    series = []
    for start in sorted(grown):
        size += grown[start]
        if grown[start] or start == first:
            series.append(Bucket(start * HOUR_MS, size))
    return series
