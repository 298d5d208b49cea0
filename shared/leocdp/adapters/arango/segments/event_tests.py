"""Conditions on events in AQL: a subquery for each.

The person's leaves are ``leaves`` (``printer``). Sums of doubles depend on the order of adding, which no store
promises; so they are known within a margin, and whoever is that near to the limit is Python's to decide. So are
sequences, of which AQL says only who has done all the steps at all, and events of one time, of which none is first.
"""

from __future__ import annotations

from math import ceil
from typing import Final, cast

from leocdp.adapters.arango.segments.answers import (
    TRUE,
    Answer,
    Block,
    both,
    exactly,
    guarded,
    perhaps,
    unless,
)
from leocdp.adapters.arango.segments.event_loops import EventLoop
from leocdp.adapters.arango.segments.numbers import number_test
from leocdp.adapters.arango.segments.value_tests import LIKE_A_NUMBER, Asked, Found, value_test
from leocdp.adapters.arango.segments.windows import EVER, Window, periods_of, window_of
from leocdp.domain.segments.nodes import (
    Aggregate,
    Compare,
    EventCount,
    EventNode,
    FirstTime,
    NumberTest,
    Pick,
    Regularity,
    Sequence_,
    ValueTest,
)

_MARGIN: Final = 1e-6
_RELATIVE: Final = 1e-9


def event_test(node: EventNode, block: Block, asked: Asked) -> Answer:
    match node:
        case EventCount():
            return _count(node, block, asked)
        case FirstTime():
            return _first_time(node, block, asked)
        case Pick():
            return _pick(node, block, asked)
        case Aggregate():
            return _aggregate(node, block, asked)
        case Sequence_():
            return _sequence(node, block, asked)
        case Regularity():
            return _regularity(node, block, asked)


def _count(node: EventCount, block: Block, asked: Asked) -> Answer:
    loop = EventLoop(node.query, window_of(node.span, asked.now, asked.setting), block, asked)
    if loop.match.exact:
        most = block.names.bind(_enough(node.count))
        n = block.let("n", f"LENGTH({loop.rows('1', most=most)})")
        return number_test(node.count, n, n, block.names)
    rows = block.let("r", loop.rows(loop.match.sure))
    low = block.let("n", f"LENGTH({rows}[* FILTER CURRENT])")
    high = block.let("n", f"LENGTH({rows})")
    return number_test(node.count, low, high, block.names)


def _enough(test: NumberTest) -> int:
    """Beyond so many the answer stays the same."""
    return max(0, ceil(test.high if test.op == "between" else test.low)) + 1


def _first_time(node: FirstTime, block: Block, asked: Asked) -> Answer:
    loop = EventLoop(node.query, EVER, block, asked)
    rows = block.let("r", loop.rows(f"{{at: e.timestamp, known: {loop.match.sure}}}"))
    first = block.let("t", f"MIN({rows}[*].at)")
    window = window_of(node.span, asked.now, asked.setting)
    within = both(exactly(f"{first} != null"), *map(exactly, window.holds(first, block.names)))
    if loop.match.exact:
        return within
    # The first one that may match is the first one, or else it cannot be told which is.
    known = f"MIN({rows}[* FILTER CURRENT.known].at)"
    return unless(block.let("d", f"{first} != {known}"), within)


def _pick(node: Pick, block: Block, asked: Asked) -> Answer:
    window = window_of(node.span, asked.now, asked.setting)
    loop = EventLoop(node.query, window, block, asked)
    picked = loop.at(node.path)
    rows = block.let("r", loop.rows(f"{{at: e.timestamp, value: {picked.value}, known: {loop.known(picked.doubt)}}}"))
    at = block.let("t", f"{'MIN' if node.which == 'first' else 'MAX'}({rows}[*].at)")
    there = block.let("r", f"{rows}[* FILTER CURRENT.at == {at}]")
    doubt = block.let("d", f"LENGTH({there}) > 1 OR LENGTH({there}[* FILTER !CURRENT.known]) > 0")
    value = block.let("x", f"FIRST({there}).value")
    answer = value_test(node.test, Found(value), asked)
    return unless(doubt, answer)


def _aggregate(node: Aggregate, block: Block, asked: Asked) -> Answer:
    window = window_of(node.span, asked.now, asked.setting)
    loop = EventLoop(node.query, window, block, asked)
    taken = loop.at(node.path)
    doubts = [taken.doubt]
    if node.as_number:
        like = f"REGEX_TEST({taken.value}, {block.names.bind(LIKE_A_NUMBER)})"
        doubts.append(f"IS_ARRAY({taken.value}) OR (IS_STRING({taken.value}) AND {like})")
    rows = block.let("r", loop.rows(f"{{value: {taken.value}, known: {loop.known(*doubts)}}}"))
    doubt = block.let("d", f"LENGTH({rows}[* FILTER !CURRENT.known LIMIT 1]) > 0")
    return unless(doubt, _result(node, rows, block, asked))


def _result(node: Aggregate, rows: str, block: Block, asked: Asked) -> Answer:
    if node.fn == "most_frequent":
        return _most_frequent(node.test, rows, block, asked)
    test = _number_test(node.test)
    if node.fn == "distinct":
        kept = "IS_STRING(CURRENT.value) OR IS_NUMBER(CURRENT.value) OR IS_BOOL(CURRENT.value)"
        n = block.let("n", f"COUNT_DISTINCT({rows}[* FILTER {kept}].value)")
        return number_test(test, n, n, block.names)
    numbers = block.let("a", f"{rows}[* FILTER IS_NUMBER(CURRENT.value)].value")
    if node.fn in ("min", "max"):
        n = block.let("n", f"{node.fn.upper()}({numbers})")
        return guarded(f"{n} != null", number_test(test, n, n, block.names))
    return _sum(node.fn, test, numbers, block)


def _number_test(test: ValueTest) -> NumberTest:
    low, high = test.values if test.op == "between" else (test.value, 0)
    return NumberTest(cast(Compare, test.op), cast(float, low), cast(float, high))


def _sum(fn: str, test: NumberTest, numbers: str, block: Block) -> Answer:
    names = block.names
    total = block.let("n", f"SUM({numbers})" if fn == "sum" else f"AVERAGE({numbers})")
    size = f"SUM({numbers}[* RETURN ABS(CURRENT)])"
    margin = block.let("n", f"{names.bind(_MARGIN)} + {names.bind(_RELATIVE)} * {size}")
    low, high = block.let("n", f"{total} - {margin}"), block.let("n", f"{total} + {margin}")
    answer = number_test(test, low, high, names)
    # Of nothing the sum is 0 and the average nothing; beyond the range of doubles there is neither.
    lost = block.let("d", f"LENGTH({numbers}) > 0 AND ({total} == null OR {margin} == null)")
    found = TRUE if fn == "sum" else f"LENGTH({numbers}) > 0"
    return unless(lost, guarded(found, answer))


def _most_frequent(test: ValueTest, rows: str, block: Block, asked: Asked) -> Answer:
    texts = f"{rows}[* FILTER IS_STRING(CURRENT.value)].value"
    top = block.let(
        "r", f"(FOR x IN {texts} COLLECT text = x WITH COUNT INTO n SORT n DESC LIMIT 2 RETURN {{text, n}})"
    )
    tie = block.let("d", f"LENGTH({top}) == 2 AND FIRST({top}).n == LAST({top}).n")
    value = block.let("x", f"FIRST({top}).text")
    return unless(tie, guarded(f"{value} != null", value_test(test, Found(value), asked)))


def _sequence(node: Sequence_, block: Block, asked: Asked) -> Answer:
    since = EVER if node.since is None else Window(start=asked.now - node.since + 1)
    steps = [step for step in node.steps if not step.negated]
    done = []
    for step in steps:
        loop = EventLoop(step.query, since, block, asked)
        n = block.let("n", f"LENGTH({loop.rows('1', most='1')})")
        done.append(exactly(f"{n} > 0"))
    return perhaps(both(*done).may)


def _regularity(node: Regularity, block: Block, asked: Asked) -> Answer:
    periods = periods_of(node, asked.now, asked.setting)
    loop = EventLoop(node.query, Window(periods[0][0], periods[-1][1]), block, asked)
    rows = block.let("r", loop.rows(f"{{at: e.timestamp, known: {loop.match.sure}}}"))
    bounds = block.names.bind(periods)

    def counted(times: str) -> str:
        inside = f"(FOR t IN {times} FILTER t >= period[0] AND t < period[1] LIMIT 1 RETURN 1)"
        there = f"(FOR period IN {bounds} FILTER LENGTH({inside}) > 0 RETURN 1)"
        return block.let("n", f"LENGTH({there})")

    high = counted(f"{rows}[*].at")
    low = high if loop.match.exact else counted(f"{rows}[* FILTER CURRENT.known].at")
    return number_test(NumberTest("gte", node.at_least), low, high, block.names)
