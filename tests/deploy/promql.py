"""What stands in expressions of Prometheus: names of metrics, and the labels that their matchers ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator

WORDS = frozenset(
    {"and", "bool", "by", "group_left", "group_right", "ignoring", "offset", "on", "or", "unless", "without"}
)
_TEXT = re.compile(r'"[^"]*"')
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}")
_GROUPING = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)")
_NAME = re.compile(r"(?<![\w.$])[a-zA-Z_:][\w:]*(?!\w)(?!\s*\()")


def metrics(expression: str) -> set[str]:
    """Names that are neither functions, words of the language nor labels."""
    plain = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", _TEXT.sub("", expression))
    return set(_NAME.findall(_GROUPING.sub("", plain))) - WORDS


def matched(expression: str) -> Iterator[tuple[str, str]]:
    """Metric and label, for each matcher in braces."""
    for name, inside in _SELECTOR.findall(_TEXT.sub("", expression)):
        yield from ((name, label) for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside))
