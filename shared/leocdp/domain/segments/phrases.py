"""What a language has to be able to say about the conditions of a tree; ``words`` puts it together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Final

from leocdp.domain.segments.nodes import (
    Aggregate,
    Bucket,
    Consent,
    EventCount,
    Fact,
    FirstTime,
    HasIdentifier,
    InList,
    InSegment,
    Label,
    Moment,
    Node,
    Path,
    Pick,
    Reachable,
    Regularity,
    Scalar,
    Score,
    Sequence_,
    Stage,
    Status,
    Trait,
)
from leocdp.domain.segments.reading import UNITS

MOST_SAID: Final = 5
"""Values of a list that are named; of longer lists the number of the others is."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Phrases(ABC):
    """``leaf`` and what it is made of are phrases that go on after the word for people: “who did …”."""

    everyone: ClassVar[str]
    nobody: ClassVar[str]
    and_: ClassVar[str]
    or_: ClassVar[str]

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._leaves: Mapping[type, Callable[[Any], str]] = {
            Trait: self.trait,
            EventCount: self.count,
            FirstTime: self.first_time,
            Pick: self.pick,
            Aggregate: self.aggregate,
            Sequence_: self.sequence,
            Regularity: self.regularity,
            InSegment: self.segment,
            InList: self.list,
            Bucket: self.bucket,
            Score: self.score,
            Consent: self.consent,
            HasIdentifier: self.identifier,
            Status: self.status,
            Reachable: self.reachable,
            Fact: self.fact,
            Stage: self.stage,
            Label: self.label,
        }

    def leaf(self, node: Node) -> str:
        return self._leaves[type(node)](node)

    def name_of(self, reference: str) -> str:
        return quoted(self._names.get(reference, reference))

    def joined(self, parts: Sequence[str], word: str) -> str:
        """“a, b and c”"""
        if len(parts) == 1:
            return parts[0]
        return f"{', '.join(parts[:-1])} {word} {parts[-1]}"

    def listed(self, values: Sequence[Scalar], word: str) -> str:
        said = [self.value(one) for one in values[:MOST_SAID]]
        left = len(values) - MOST_SAID
        if left > 0:
            return f"{', '.join(said)} {self.and_} {self.more(left)}"
        return self.joined(said, word)

    def duration(self, ms: int) -> str:
        for unit in "dhm":
            if ms % UNITS[unit] == 0:
                return self.units(ms // UNITS[unit], unit)
        return self.units(ms // UNITS["m"] + 1, "m")

    def moment(self, moment: Moment) -> str:
        if isinstance(moment, date):
            return self.day(moment)
        return self.instant(_EPOCH + timedelta(milliseconds=moment))

    def value(self, value: Scalar) -> str:
        if isinstance(value, bool):
            return self.boolean(value)
        return quoted(value) if isinstance(value, str) else self.number(value)

    @abstractmethod
    def people(self, phrase: str) -> str:
        """The whole sentence."""

    @abstractmethod
    def without(self, phrase: str) -> str:
        """All but those of a phrase."""

    @abstractmethod
    def more(self, count: int) -> str: ...

    @abstractmethod
    def units(self, count: int, unit: str) -> str:
        """``unit`` is d, h or m."""

    @abstractmethod
    def day(self, day: date) -> str: ...

    @abstractmethod
    def instant(self, at: datetime) -> str: ...

    @abstractmethod
    def boolean(self, value: bool) -> str: ...

    @abstractmethod
    def number(self, number: float) -> str: ...

    @abstractmethod
    def trait(self, node: Trait) -> str: ...

    @abstractmethod
    def count(self, node: EventCount) -> str: ...

    @abstractmethod
    def first_time(self, node: FirstTime) -> str: ...

    @abstractmethod
    def pick(self, node: Pick) -> str: ...

    @abstractmethod
    def aggregate(self, node: Aggregate) -> str: ...

    @abstractmethod
    def sequence(self, node: Sequence_) -> str: ...

    @abstractmethod
    def regularity(self, node: Regularity) -> str: ...

    @abstractmethod
    def segment(self, node: InSegment) -> str: ...

    @abstractmethod
    def list(self, node: InList) -> str: ...

    @abstractmethod
    def bucket(self, node: Bucket) -> str: ...

    @abstractmethod
    def score(self, node: Score) -> str: ...

    @abstractmethod
    def consent(self, node: Consent) -> str: ...

    @abstractmethod
    def identifier(self, node: HasIdentifier) -> str: ...

    @abstractmethod
    def status(self, node: Status) -> str: ...

    @abstractmethod
    def reachable(self, node: Reachable) -> str: ...

    @abstractmethod
    def fact(self, node: Fact) -> str: ...

    @abstractmethod
    def stage(self, node: Stage) -> str: ...

    @abstractmethod
    def label(self, node: Label) -> str: ...


def quoted(text: str) -> str:
    return f"“{text}”"


def quoted_path(path: Path) -> str:
    return quoted(".".join(path))


def clock(at: datetime) -> str:
    """Hours and minutes, with seconds where there are any."""
    return at.strftime("%H:%M:%S" if at.second or at.microsecond else "%H:%M")
