"""An identifier: what kind of thing it is, its normalised value, and whose numbering it follows."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_SPACE = "default"


class Identifier(NamedTuple):
    """``(kind, value)`` and, for user ids and ids of priority 2, the id space of their source.

    The space ``default`` is held as the empty string. Values are normalised before an
    ``Identifier`` is made; two are the same identifier exactly when they are equal.
    """

    kind: str
    value: str
    space: str = ""

    @property
    def key(self) -> str:
        """``kind:value`` or ``kind@space:value``: the stored form and the public reference."""
        return f"{self.kind}@{self.space}:{self.value}" if self.space else f"{self.kind}:{self.value}"


def parse_key(key: str) -> Identifier:
    """The inverse of :attr:`Identifier.key`.

    ``social:<provider>`` kinds hold a colon of their own, so for those the value starts after the second.

    Raises:
        ValueError: no colon, or an empty kind or value.
    """
    head, colon, value = key.partition(":")
    if head == "social":
        provider, colon, value = value.partition(":")
        head = f"social:{provider}"
    kind, _, space = head.partition("@")
    if not colon or not kind or not value:
        raise ValueError(f"{key!r} is not of the form kind:value")
    return Identifier(kind, value, "" if space == DEFAULT_SPACE else space)
