"""How large a condition may be. Beyond a limit it is refused when it is saved; nothing is cut."""

from __future__ import annotations

from typing import Final

DAY_MS: Final = 86_400_000

MOST_DEPTH: Final = 10
"""Levels of ``all``, ``any`` and ``not``; the outermost is the first."""
MOST_NODES: Final = 200
"""Conditions in one tree, those inside ``where`` and the steps of sequences included."""
MOST_LISTED: Final = 1_000
"""Values in one list. Longer ones are imported lists."""
MOST_LISTED_IN_ALL: Final = 5_000
MOST_STEPS: Final = 10
"""Of a sequence."""
LONGEST_TEXT: Final = 1_000
"""Characters of a value to compare with."""
LONGEST_NAME: Final = 200
"""Characters of the name of an event, trait, property, label, segment …"""
MOST_PATH_PARTS: Final = 10
LONGEST_PATTERN: Final = 500
"""Characters of a regular expression."""
PATTERN_MEMORY: Final = 1 << 20
"""Bytes that a compiled regular expression may take."""
LONGEST_WINDOW_MS: Final = 3_650 * DAY_MS
MOST_COUNT: Final = 1_000_000
MOST_DAYS: Final = 366
"""Periods that regularity looks back: a year of days, two of weeks."""
MOST_WEEKS: Final = 104
LARGEST_NUMBER: Final = 2**53 - 1
"""Whole numbers beyond this are not the same in every store."""
YEARS: Final = (1900, 2199)
