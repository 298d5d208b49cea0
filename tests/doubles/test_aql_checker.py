"""The check of queries that are not run: what it takes and what it finds."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.doubles.arangodb.aql.checker import check, problems_of
from tests.doubles.arangodb.aql.facts import facts
from tests.doubles.arangodb.aql.syntax import parse
from tests.doubles.arangodb.errors import ArangoProblem

KNOWN = {"people", "events", "links"}

NOT_AQL = [
    "FOR d IN people RETURN d;",
    "FOR d IN people",
    "SELECT * FROM people",
    "FOR d IN people WHERE d.a == 1 RETURN d",
    "FOR d IN people FILTER d.a = 1 RETURN d",
    "FOR d IN people FILTER d.a IS NULL RETURN d",
    "FOR d IN people FILTER d.a BETWEEN 1 AND 2 RETURN d",
    "FOR d IN people ORDER BY d.a RETURN d",
    "FOR d IN people SORT d.a DESCENDING RETURN d",
    "FOR d IN people LIMIT RETURN d",
    "RETURN d.window",
    "RETURN {limit: 1}",
    "RETURN a ?? b",
    "RETURN [1,,2]",
    "RETURN COUNT(1",
    "RETURN 1 RETURN 2",
    "INSERT {a: 1} people",
    "REMOVE x",
    "LET x 1 RETURN x",
    "FOR d IN people COLLECT AGGREGATE x = 1 RETURN x",
    "RETURN @@",
]

AQL = [
    "FOR d IN people RETURN {count: 1, options: 2, keep: 3, search: 4, to: 5, prune: 6}",
    "for d in people filter d.`filter` == 1 and not (d.a in [1]) return distinct d // comment",
    "FOR d IN people /* all */ COLLECT k = d.k INTO g KEEP d RETURN {k, n: LENGTH(g)}",
    "FOR d IN people INSERT {_key: d._key} INTO events OPTIONS {overwriteMode: 'ignore'} RETURN NEW",
    "FOR v, e IN 1..2 ANY 'people/1' links PRUNE v.x == 1 OPTIONS {order: 'bfs'} RETURN v",
    "UPSERT {a: 1} INSERT {a: 1} UPDATE {n: OLD.n + 1} IN people RETURN NEW",
    "FOR d IN people FILTER d.x[* FILTER CURRENT.y > 1 LIMIT 1 RETURN CURRENT.y] ANY == 2 RETURN d.z[**]",
]


@pytest.mark.parametrize("text", NOT_AQL)
def test_what_is_not_aql_is_a_syntax_error(text: str) -> None:
    with pytest.raises(ArangoProblem) as caught:
        parse(text)
    assert caught.value.number == 1501
    assert problems_of(text, {}, KNOWN)


@pytest.mark.parametrize("text", AQL)
def test_aql_passes(text: str) -> None:
    check(text, {}, KNOWN)


@pytest.mark.parametrize(
    ("text", "bind_vars", "problem"),
    [
        ("RETURN @a", {}, "'a' has no value"),
        ("RETURN 1", {"a": 1}, "does not bind"),
        ("FOR d IN @@c RETURN d", {"@c": "nowhere"}, "'nowhere' is neither"),
        ("FOR d IN people RETURN e", {}, "'e' is neither"),
        ("FOR d IN people RETURN {nobody}", {}, "'nobody' is neither"),
        ("FOR d IN people RETURN ENTRIES(d)", {}, "ENTRIES() is not in 3.11"),
        ("RETURN FULLTEXT(people, 'a', 'b')", {}, "gone in 4.0"),
        ("RETURN MY::FUNC(1)", {}, "gone in 4.0"),
        ("RETURN LENGHT([])", {}, "no function"),
        ("LET [a] = [1] RETURN a", {}, "destructuring"),
        ("UPSERT FILTER CURRENT.a == 1 INSERT {a: 1} UPDATE {} IN people", {}, "UPSERT FILTER"),
        ("INSERT {} INTO people OPTIONS {overwrite: true}", {}, "overwrite is gone"),
        ("INSERT {} INTO people OPTIONS {versionAttribute: 'v'}", {}, "versionAttribute is not in 3.11"),
        ("RETURN 1 < 2 == true", {}, "chain"),
        ("FOR d IN people FILTER NOT d.a IN [1] RETURN d", {}, "(NOT x) IN y"),
        ("RETURN DATE_TRUNC(0, 'day', 'Asia/Saigon')", {}, "time zone only in 3.12"),
        ("FOR scan IN people RETURN scan", {}, "reserved word in 4.0"),
        ("RETURN 99999999999999999999", {}, "64 bits"),
        ("INSERT {} INTO people FOR p IN people RETURN p", {}, "1579"),
        ("INSERT {} INTO @@a INSERT {} INTO @@b", {"@a": "people", "@b": "people"}, "1579"),
        ("FOR p IN people LET x = (FOR e IN events UPDATE p WITH {} IN people) RETURN x", {}, "1579"),
        ("REMOVE 'x' IN people LET d = DOCUMENT('events/1') RETURN d", {}, "DOCUMENT() after"),
        ("INSERT {n: LENGTH(FOR e IN events REMOVE e IN events)} INTO people", {}, "inside another"),
    ],
)
def test_what_a_server_would_not_take_is_found(text: str, bind_vars: dict[str, Any], problem: str) -> None:
    found = problems_of(text, bind_vars, KNOWN)
    assert len(found) == 1, found
    assert problem in found[0]
    with pytest.raises(AssertionError, match=re.escape(problem)):
        check(text, bind_vars, KNOWN)


def test_reads_and_writes_are_told_apart() -> None:
    """A collection may be read before it is modified, in the same statement too."""
    known = facts("FOR p IN people FILTER p.x IN (FOR e IN @@log RETURN e.x) UPDATE p WITH {y: 1} IN people")
    assert known.reads() == {"people", "@@log"}
    assert known.writes() == {"people"}
    assert known.binds == {"@log"}
