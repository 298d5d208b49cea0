"""What queries give: a table of (query, bind variables, results), and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doubles.arangodb.errors import ArangoProblem, Unknown
from tests.doubles.evaluator import Evaluator

ORDERS: list[dict[str, Any]] = [
    {"_key": "1", "who": "lan", "total": 30, "tags": ["a", "b"], "at": {"city": "Hue"}},
    {"_key": "2", "who": "mai", "total": 10, "tags": []},
    {"_key": "3", "who": "lan", "total": 20, "tags": ["b"], "at": {"city": "Hanoi"}},
    {"_key": "4", "who": "an", "total": None},
]
PEOPLE: list[dict[str, Any]] = [{"_key": "lan", "age": 31}, {"_key": "mai", "age": 25}, {"_key": "an"}]


@pytest.fixture
def ask() -> Evaluator:
    return Evaluator({"orders": ORDERS, "people": PEOPLE})


CLAUSES: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("RETURN 1", {}, [1]),
    ("FOR o IN orders SORT o.total DESC RETURN o._key", {}, ["1", "3", "2", "4"]),
    ("FOR o IN orders SORT o.who, o.total DESC RETURN o._key", {}, ["4", "1", "3", "2"]),
    ("FOR o IN orders SORT o.total LIMIT 2 RETURN o._key", {}, ["4", "2"]),
    ("FOR o IN orders SORT o.total LIMIT @skip, @n RETURN o._key", {"skip": 1, "n": 2}, ["2", "3"]),
    (
        "FOR o IN @@c FILTER o._key IN @k SORT o._key RETURN o.who",
        {"@c": "orders", "k": ["2", "4"]},
        ["mai", "an"],
    ),
    ("FOR o IN orders FILTER o.total < 15 SORT o._key RETURN o._key", {}, ["2", "4"]),
    ("FOR o IN orders FILTER o.total != null AND o.total < 15 RETURN o._key", {}, ["2"]),
    ("FOR o IN orders FILTER o.at.city == 'Hue' RETURN o._key", {}, ["1"]),
    ("FOR o IN orders FILTER @tag IN o.tags SORT o._key RETURN o._key", {"tag": "b"}, ["1", "3"]),
    ("FOR x IN [3, 1, 2] SORT x RETURN x", {}, [1, 2, 3]),
    ("FOR x IN 2..4 RETURN x * x", {}, [4, 9, 16]),
    ("FOR x IN 1..3 FOR y IN x..3 RETURN [x, y]", {}, [[1, 1], [1, 2], [1, 3], [2, 2], [2, 3], [3, 3]]),
    ("FOR x IN 1..3 LET y = x * 2, z = y + 1 FILTER z > 3 RETURN z", {}, [5, 7]),
    ("LET n = LENGTH(orders) RETURN n", {}, [4]),
    ("RETURN COUNT(FOR o IN orders FILTER o.who == 'lan' RETURN 1)", {}, [2]),
    (
        "FOR p IN people SORT p._key LET own = (FOR o IN orders FILTER o.who == p._key RETURN o.total)"
        " RETURN {who: p._key, sum: SUM(own)}",
        {},
        [{"who": "an", "sum": 0}, {"who": "lan", "sum": 50}, {"who": "mai", "sum": 10}],
    ),
    ("RETURN FIRST(FOR o IN orders SORT o.total DESC LIMIT 1 RETURN o._key)", {}, ["1"]),
    ("FOR o IN orders SORT o.who RETURN DISTINCT o.who", {}, ["an", "lan", "mai"]),
    (
        "FOR o IN orders OPTIONS {indexHint: 'primary'} FILTER o._key == '1' RETURN o.who",
        {},
        ["lan"],
    ),
    ("RETURN DOCUMENT('orders/2').who", {}, ["mai"]),
    ("RETURN DOCUMENT('orders', ['4', 'none', '2'])[*].who", {}, [["an", "mai"]]),
    ("RETURN DOCUMENT(@c, 'none')", {"c": "orders"}, [None]),
]

COLLECT: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("FOR o IN orders COLLECT who = o.who RETURN who", {}, ["an", "lan", "mai"]),
    ("FOR o IN orders COLLECT WITH COUNT INTO n RETURN n", {}, [4]),
    ("FOR o IN [] COLLECT WITH COUNT INTO n RETURN n", {}, [0]),
    ("FOR o IN [] COLLECT k = o WITH COUNT INTO n RETURN n", {}, []),
    (
        "FOR o IN orders COLLECT who = o.who WITH COUNT INTO n SORT n DESC, who RETURN [who, n]",
        {},
        [["lan", 2], ["an", 1], ["mai", 1]],
    ),
    (
        "FOR o IN orders COLLECT who = o.who AGGREGATE s = SUM(o.total), m = MAX(o.total * 2) RETURN {who, s, m}",
        {},
        [{"who": "an", "s": 0, "m": 0}, {"who": "lan", "s": 50, "m": 60}, {"who": "mai", "s": 10, "m": 20}],
    ),
    (
        "FOR o IN orders COLLECT AGGREGATE lo = MIN(o.total), avg = AVERAGE(o.total), d = COUNT_DISTINCT(o.who)"
        " RETURN [lo, avg, d]",
        {},
        [[10, 20, 3]],
    ),
    (
        "FOR o IN orders COLLECT who = o.who INTO g = o._key RETURN {who, keys: SORTED(g)}",
        {},
        [{"who": "an", "keys": ["4"]}, {"who": "lan", "keys": ["1", "3"]}, {"who": "mai", "keys": ["2"]}],
    ),
    (
        "FOR o IN orders LET x = 1 COLLECT who = o.who INTO g RETURN [who, SORTED(g[*].o._key), g[0].x]",
        {},
        [["an", ["4"], 1], ["lan", ["1", "3"], 1], ["mai", ["2"], 1]],
    ),
    ("FOR o IN orders LET x = 1 COLLECT who = o.who INTO g KEEP x RETURN g[0]", {}, [{"x": 1}] * 3),
    ("LET f = 2 RETURN (FOR x IN [1, 1, 3] COLLECT y = x RETURN y * f)", {}, [[2, 6]]),
    (
        "FOR x IN [1, 1.0, '1', null, true] COLLECT y = x WITH COUNT INTO n RETURN [y, n]",
        {},
        [[None, 1], [True, 1], [1, 2], ["1", 1]],
    ),
    ("FOR x IN [{}, {a: null}] COLLECT y = x WITH COUNT INTO n RETURN n", {}, [2]),
    (
        "FOR o IN orders COLLECT c = o.at.city, w = o.who WITH COUNT INTO n RETURN [c, w, n]",
        {},
        [[None, "an", 1], [None, "mai", 1], ["Hanoi", "lan", 1], ["Hue", "lan", 1]],
    ),
]

EXPRESSIONS: list[tuple[str, Any]] = [
    ("1 + 2 * 3 - 4 / 2", 5),
    ("7 / 2", 3.5),
    ("-7 % 4", -3),
    ("'3' + 4", 7),
    ("null + true", 1),
    ("1 / 0", None),
    ("-[5]", -5),
    ("9007199254740993", 9007199254740993),
    ("0x1F + 0b11", 34),
    (".5 * 4", 2),
    ("null < false", True),
    ("true < 0", True),
    ("9 < ''", True),
    ("'z' < []", True),
    ("[9] < {}", True),
    ("null < -1", True),
    ("[] == [null]", True),
    ("'a' == 'A'", False),
    ("1 == true", False),
    ("0 || 'x'", "x"),
    ("'' || null", None),
    ("1 && 'x'", "x"),
    ("0 && 'x'", 0),
    ("!1", False),
    ("NOT []", False),
    ("NOT 0 && 1", 1),
    ("1 ? 'y' : 'n'", "y"),
    ("null ?: 'd'", "d"),
    ("5 ?: 'd'", 5),
    ("2 IN [1, 2]", True),
    ("2 IN 'x2'", False),
    ("2 NOT IN [1]", True),
    ("2 NOT IN null", False),
    ("null IN [null]", True),
    ("[1, 2] ALL > 0", True),
    ("[] ALL > 0", True),
    ("[1, 2] ANY == 2", True),
    ("[] ANY == 2", False),
    ("[1, 2] NONE IN [3]", True),
    ("[1, 2] ALL NOT IN [3]", True),
    ("null ANY == null", False),
    ("'abc' LIKE 'a%'", True),
    ("'abc' LIKE '_b'", False),
    ("'a%c' LIKE 'a\\\\%c'", True),
    ("'abc' NOT LIKE 'b%'", True),
    ("'abc' =~ 'b.$'", True),
    ("'abc' !~ '^b'", True),
    ("3..1", [3, 2, 1]),
    ("{a: {b: 1}}.a.b", 1),
    ("{a: 1}.x.y.z", None),
    ("[1, 2, 3][-1]", 3),
    ("[1][7]", None),
    ("'abc'[1]", None),
    ("{'a b': 1}['a b']", 1),
    ("{`for`: 2}.`for`", 2),
    ("{[CONCAT('a', 'b')]: 1}", {"ab": 1}),
    ("[{x: 1}, {x: 2}, {}][*].x", [1, 2, None]),
    ("null[*].x", []),
    ("[[1, [2]], [3]][**]", [1, [2], 3]),
    ("[[1, [2]], [3]][***]", [1, 2, 3]),
    ("[{f: [1, 2]}, {f: [3]}][*].f", [[1, 2], [3]]),
    ("[{f: [{n: 1}, {n: 2}]}, {f: [{n: 3}]}][*].f[*].n", [[1, 2], [3]]),
    ("[{f: [{n: 1}, {n: 2}]}, {f: [{n: 3}]}][*].f[**].n", [1, 2, 3]),
    ("[1, 2, 3, 4][* FILTER CURRENT > 1 LIMIT 2 RETURN CURRENT * 10]", [20, 30]),
    ("[1, 2, 3, 4][* FILTER CURRENT > 1 LIMIT 1, 2]", [3, 4]),
    ("'q' == \"q\"", True),
    ("'tab\\tline\\nquote\\'\\u0111'", "tab\tline\nquote'đ"),
]

FUNCTIONS: list[tuple[str, Any]] = [
    ("[LENGTH([1, 2]), LENGTH({a: 1}), LENGTH('đó'), LENGTH(null), LENGTH(12)]", [2, 1, 2, 0, 2]),
    ("[FIRST([1, 2]), LAST([1, 2]), NTH([1, 2], 1), FIRST([]), FIRST(3)]", [1, 2, 2, None, None]),
    ("APPEND([1], [2, 1])", [1, 2, 1]),
    ("APPEND([1], [2, 1], true)", [1, 2]),
    ("APPEND(null, [1])", [1]),
    ("PUSH([1], 1, true)", [1]),
    ("UNION([1], [1, 2])", [1, 1, 2]),
    ("SORTED(UNION_DISTINCT([1, 2], [2, 3]))", [1, 2, 3]),
    ("SORTED(INTERSECTION([1, 2, 3], [3, 2]))", [2, 3]),
    ("SORTED(MINUS([1, 2, 3], [2]))", [1, 3]),
    ("SORTED(UNIQUE([2, 1, 2, 1.0]))", [1, 2]),
    ("SORTED_UNIQUE([2, null, 'a', 2])", [None, 2, "a"]),
    ("FLATTEN([1, [2, [3]]])", [1, 2, [3]]),
    ("FLATTEN([1, [2, [3]]], 2)", [1, 2, 3]),
    ("[SLICE([1, 2, 3], 1), SLICE([1, 2, 3], -2, 1), SLICE([1, 2, 3], 0, -1)]", [[2, 3], [2], [1, 2]]),
    ("[POSITION([1, 2], 2), POSITION([1, 2], 2, true), POSITION([1], 9, true)]", [True, 1, -1]),
    ("[REVERSE([1, 2]), REMOVE_VALUE([1, 2, 1], 1), REMOVE_VALUES([1, 2, 3], [1, 3])]", [[2, 1], [2], [2]]),
    ("[MIN([null, 2, 1]), MAX([1, 'a', null]), MIN([]), MAX([null])]", [1, "a", None, None]),
    ("[SUM([1, null, 2]), SUM([]), SUM([1, 'x']), AVERAGE([1, 2]), AVERAGE([])]", [3, 0, None, 1.5, None]),
    ("COUNT_DISTINCT([1, 1.0, '1', null])", 3),
    ("ATTRIBUTES({_key: 1, b: 2, a: 3}, true, true)", ["a", "b"]),
    ("SORTED(VALUES({a: 2, b: 1}))", [1, 2]),
    ("MERGE({a: 1, b: {c: 1}}, {b: {d: 2}})", {"a": 1, "b": {"d": 2}}),
    ("MERGE([{a: 1}, {a: 2}])", {"a": 2}),
    ("MERGE_RECURSIVE({a: {b: 1, c: 1}}, {a: {b: 2}})", {"a": {"b": 2, "c": 1}}),
    ("UNSET({a: 1, b: 2, c: 3}, 'a', ['c'])", {"b": 2}),
    ("KEEP({a: 1, b: 2}, ['a', 'x'])", {"a": 1}),
    ("[HAS({a: null}, 'a'), HAS({}, 'a'), HAS(null, 'a')]", [True, False, False]),
    ("ZIP(['a', 'b'], [1, 2])", {"a": 1, "b": 2}),
    ("VALUE({a: [{b: 5}]}, ['a', 0, 'b'])", 5),
    ("NOT_NULL(null, 0, 1)", 0),
    ("NOT_NULL(null)", None),
    ("[TO_NUMBER('7'), TO_NUMBER('x'), TO_NUMBER(null), TO_NUMBER([5])]", [7, 0, 0, 5]),
    ("[TO_STRING(1.5), TO_STRING(null), TO_STRING([1]), TO_BOOL([]), TO_BOOL('')]", ["1.5", "", "[1]", True, False]),
    ("[TO_ARRAY(null), TO_ARRAY(1), TO_ARRAY([1])]", [[], [1], [1]]),
    (
        "[IS_NULL(null), IS_STRING('x'), IS_NUMBER(true), IS_BOOL(true), IS_ARRAY([]), IS_OBJECT({})]",
        [True, True, False, True, True, True],
    ),
    ("TYPENAME(1.5)", "number"),
    ("CONCAT('a', null, 1, true)", "a1true"),
    ("CONCAT_SEPARATOR(', ', 'a', null, 'b')", "a, b"),
    ("[LOWER('ĐÀ Nẵng'), UPPER('đ')]", ["đà nẵng", "Đ"]),
    ("[SUBSTRING('hello', 1, 3), SUBSTRING('hello', -3), LEFT('abc', 2), RIGHT('abc', 2)]", ["ell", "llo", "ab", "bc"]),
    ("[CONTAINS('abc', 'b'), CONTAINS('abc', 'c', true), CONTAINS('abc', 'x', true)]", [True, 2, -1]),
    ("[STARTS_WITH('abc', 'ab'), STARTS_WITH('abc', ['x', 'a']), STARTS_WITH(12, '1')]", [True, True, False]),
    ("[LIKE('ABC', 'a_c'), LIKE('ABC', 'a_c', true)]", [False, True]),
    (
        "[TRIM('  x '), SPLIT('a-b-c', '-', 2), SUBSTITUTE('aXbX', 'X', '-'), CHAR_LENGTH('đó')]",
        ["x", ["a", "b"], "a-b-", 2],
    ),
    ("[ABS(-2), FLOOR(-1.5), CEIL(1.2), ROUND(2.5), ROUND(-2.5), POW(2, 10), SQRT(9)]", [2, -2, 2, 3, -2, 1024, 3]),
    ("IN_RANGE(4, 3, 4, true, false)", False),
    ("SHA1('foobar')", "8843d7f92416211de9ebb963ff4ce28125932878"),
    ("DATE_NOW()", 1_700_000_000_123),
    ("DATE_ISO8601(1577836800123)", "2020-01-01T00:00:00.123Z"),
    ("[DATE_TIMESTAMP('2020-01-01'), DATE_TIMESTAMP('2020-01-01T07:00:00+07:00')]", [1577836800000, 1577836800000]),
    ("DATE_TRUNC('2020-03-05T10:11:12Z', 'day')", "2020-03-05T00:00:00.000Z"),
    ("DATE_TRUNC('2020-03-05', 'month')", "2020-03-01T00:00:00.000Z"),
    ("DATE_DIFF('2020-01-01', '2020-01-03T12:00:00Z', 'd', true)", 2.5),
    ("DATE_ADD('2020-02-28', 2, 'days')", "2020-03-01T00:00:00.000Z"),
    ("[DATE_DAYOFWEEK('2020-03-01'), DATE_YEAR(0), DATE_MONTH('2020-03-01')]", [0, 1970, 3]),
    ("JSON_PARSE(JSON_STRINGIFY({a: [1]}))", {"a": [1]}),
]


@pytest.mark.parametrize(("query", "bind", "wanted"), [*CLAUSES, *COLLECT])
def test_clauses(ask: Evaluator, query: str, bind: dict[str, Any], wanted: list[Any]) -> None:
    assert ask(query, bind=bind) == wanted


@pytest.mark.parametrize(("expression", "wanted"), [*EXPRESSIONS, *FUNCTIONS])
def test_expressions(ask: Evaluator, expression: str, wanted: Any) -> None:
    (found,) = ask(f"RETURN {expression}")
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 1502),
        ("FOR o IN orders", 1501),
        ("RETURN o.filter", 1501),
        ("FOR o IN nowhere RETURN o", 1203),
        ("RETURN x", 1203),
        ("LET x = 1 LET x = 2 RETURN x", 1511),
        ("RETURN NO_SUCH_THING(1)", 1540),
        ("RETURN ENTRIES({})", 1540),
        ("RETURN LENGTH(1, 2)", 1541),
        ("RETURN SUBSTRING('x')", 1541),
        ("FOR x IN 1..3 LIMIT -1 RETURN x", 1504),
        ("FOR x IN 5 RETURN x", 1563),
        ("RETURN @missing", 1551),
        ("FOR o IN orders OPTIONS {indexHint: 'x', forceIndexHint: true} RETURN o", 1577),
        ("FOR o IN orders INSERT {} INTO people LET d = DOCUMENT('orders/1') RETURN d", 1579),
        ("INSERT {} INTO people FOR p IN people RETURN p", 1579),
        ("UPDATE 'a' WITH {} IN people REMOVE 'a' IN people", 1579),
        ("FOR p IN people LET w = (REMOVE p IN people) RETURN w", 1579),
        ("RETURN FAIL('no')", 1569),
        ("FOR o IN orders COLLECT w = o.who RETURN o", 1203),
        ("FOR x IN [1] INSERT {} INTO people RETURN OLD", 1512),
    ],
)
def test_wrong_queries_get_the_number_of_their_mistake(ask: Evaluator, query: str, number: int) -> None:
    with pytest.raises(ArangoProblem) as caught:
        ask(query)
    assert caught.value.number == number


def test_a_value_for_a_name_that_the_query_does_not_bind_is_an_error(ask: Evaluator) -> None:
    with pytest.raises(ArangoProblem) as caught:
        ask("RETURN 1", spare=1)
    assert caught.value.number == 1552


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("FOR v IN 1..2 OUTBOUND 'a/1' links RETURN v", "for_traversal"),
        ("UPSERT {a: 1} INSERT {a: 1} UPDATE {} IN people", "UPSERT"),
        ("FOR o IN orders WINDOW {preceding: 1} AGGREGATE s = SUM(o.total) RETURN s", "window"),
        ("FOR o IN orders SEARCH o.x == 1 RETURN o", "SEARCH"),
        ("WITH people FOR o IN orders RETURN o", "WITH"),
        ("LET [a] = [1] RETURN a", "destructuring"),
        ("RETURN [1][? FILTER CURRENT > 0]", "question"),
        ("RETURN [1] AT LEAST (1) == 1", "AT LEAST"),
        ("RETURN 1 < 2 == true", "chains"),
        ("RETURN orders", "collection orders"),
        ("RETURN SOUNDEX('x')", "SOUNDEX"),
        ("RETURN {a: 1, a: 2}", "twice"),
        ("FOR o IN orders OPTIONS {lookahead: 2} RETURN o", "lookahead"),
        ("FOR o IN orders COLLECT AGGREGATE x = BIT_AND(o.total) RETURN x", "BIT_AND"),
        ("RETURN 'x' =~ '\\\\p{L}'", "regular expressions"),
    ],
)
def test_what_is_outside_the_subset_is_refused_by_name(ask: Evaluator, query: str, named: str) -> None:
    with pytest.raises(Unknown, match=named.replace("(", r"\(")):
        ask(query)


def test_warnings_are_kept_and_the_query_goes_on(ask: Evaluator) -> None:
    """1562 for a division by zero, 1542 for an argument of a wrong type, 1563 for what should be an array."""
    assert ask("RETURN [1 / 0, FIRST(1), 1 IN 1]") == [[None, None, False]]
    assert [number for number, _ in ask.warnings] == [1562, 1542, 1563]


def test_bound_attribute_names(ask: Evaluator) -> None:
    assert ask("FOR o IN orders FILTER o.@a == @v RETURN o[@b]", a="total", v=10, b="who") == ["mai"]
