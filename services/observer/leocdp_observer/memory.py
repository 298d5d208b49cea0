"""How the C library gives memory back: not after each large record, only to ask for it again a moment later."""

from __future__ import annotations

import ctypes
from typing import Final

TRIM_THRESHOLD: Final = (-1, 128 * 1_048_576)
MMAP_THRESHOLD: Final = (-3, 32 * 1_048_576)
"""Parameter and value of glibc's ``mallopt``."""


def keep_freed_memory() -> bool:
    """Keep up to 128 MiB of freed memory for the next requests; False where the C library has no such setting.

    Records of some 100 KiB would otherwise be mapped and unmapped for every append: a tenth of the time of a batch.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(*option) == 1 for option in (TRIM_THRESHOLD, MMAP_THRESHOLD))
