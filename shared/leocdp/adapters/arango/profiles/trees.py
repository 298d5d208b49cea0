"""The cached root of every leaf: set for a whole tree when a pointer in it changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple


class Member(NamedTuple):
    """A profile of a tree as it is stored; ``rev`` is empty for one that is not stored yet."""

    rev: str
    merged_into: str | None
    root: str


def follow(
    pointers: Mapping[str, str | None], members: Mapping[str, Member], outside: Callable[[str], str | None]
) -> dict[str, str]:
    """Where the pointers of all members end once ``pointers`` are set.

    ``outside`` tells the root of a profile that is no member, None when there is no such profile.

    Raises:
        ValueError: a pointer to a profile that is not stored, or a cycle: a defect of the decision.
    """
    now = {one: pointers.get(one, member.merged_into) for one, member in members.items()}
    return {one: _end(one, now, outside) for one in members}


def _end(start: str, pointers: Mapping[str, str | None], outside: Callable[[str], str | None]) -> str:
    at = start
    for _ in range(len(pointers) + 1):
        target = pointers[at]
        if target is None:
            return at
        if target not in pointers:
            root = outside(target)
            if root is None:
                raise ValueError("a profile points to one that is not stored")
            return root
        at = target
    raise ValueError("the pointers of profiles form a cycle")


def roots_to_read(repointed: Collection[str], roots: Mapping[str, str]) -> list[str]:
    """Roots whose trees have to be looked at, of stored profiles whose pointers change."""
    return sorted({roots[one] for one in repointed if one in roots})
