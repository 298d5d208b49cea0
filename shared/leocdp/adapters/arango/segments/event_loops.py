"""The loop over a person's events that a condition asks for, by the index of events by leaf, type, name and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from leocdp.adapters.arango.segments.answers import FALSE, TRUE, Answer, Block, both, unless
from leocdp.adapters.arango.segments.paths import property_at
from leocdp.adapters.arango.segments.value_tests import Asked, Found, value_test
from leocdp.adapters.arango.segments.windows import Window
from leocdp.domain.profiles.apply import NAMED_TYPES
from leocdp.domain.segments.nodes import EventQuery, Path


class EventLoop:
    """Events ``e`` that may match; ``match`` says which of them do."""

    def __init__(self, query: EventQuery, window: Window, block: Block, asked: Asked) -> None:
        self._inner = block.inner()
        # Of a property, relative dates are asked at the time of the event, which differs from row to row.
        timeless = replace(asked, timeless=True)
        self.match: Answer = both(*(value_test(one.test, self.at(one.path), timeless) for one in query.where))
        names = block.names
        types = [query.type] if query.type is not None else sorted(NAMED_TYPES)
        self._filters = ["e.leaf == leaf", f"e.type IN {names.bind(types)}"]
        if query.name is not None:
            self._filters.append(f"e.name == {names.bind(query.name)}")
        self._filters += window.holds("e.timestamp", names)

    def at(self, path: Path) -> Found:
        return property_at(self._inner, "e.body.properties", path)

    def known(self, *doubts: str) -> str:
        """Whether the event matches for certain, and nothing that is taken from it is in doubt."""
        answer = self.match
        for doubt in doubts:
            answer = unless(doubt, answer)
        return answer.sure

    def rows(self, result: str, *, only: Sequence[str] = (), most: str = "") -> str:
        """``only``: conditions besides; ``most``: how many rows are enough."""
        wanted = [each for each in (self.match.may, *only) if each != TRUE]
        if FALSE in wanted:
            return "[]"
        lines = [
            'FOR leaf IN leaves FOR e IN events OPTIONS {indexHint: "events_kind"}',
            f"FILTER {' AND '.join(self._filters)}",
            *self._inner.lines,
            *(f"FILTER {each}" for each in wanted),
            *([f"LIMIT {most}"] if most else []),
            f"RETURN {result}",
        ]
        return f"({' '.join(lines)})"
