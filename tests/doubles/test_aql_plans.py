"""Which index a loop can use: the documented rules, one by one."""

from __future__ import annotations

import pytest

from tests.doubles.arangodb.aql.plans import IndexForm, full_scans, loops

INDEXES = {
    "c": [
        IndexForm("abc", ("a", "b", "c")),
        IndexForm("thin", ("s",), sparse=True),
        IndexForm("tags", ("tags[*]",)),
        IndexForm("skus", ("items[*].sku",)),
        IndexForm("deep", ("x.y",)),
    ]
}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("FILTER d._key == @k", ("primary", 1, False, False)),
        ("FILTER d._key IN @keys", ("primary", 1, False, False)),
        ("FILTER d._key > @k SORT d._key LIMIT 5", ("primary", 0, True, True)),
        ("FILTER d.a == 1", ("abc", 1, False, False)),
        ("FILTER 1 == d.a AND d.b > 2 AND d.c == 3", ("abc", 1, True, False)),
        ("FILTER d.a == 1 FILTER d.b IN [1, 2] FILTER 3 <= d.c", ("abc", 2, True, False)),
        ("FILTER d.b == 1", (None, 0, False, False)),
        ("FILTER d.a != 1", (None, 0, False, False)),
        ("FILTER LOWER(d.a) == 'x'", (None, 0, False, False)),
        ("FILTER d.a LIKE 'x%'", (None, 0, False, False)),
        ("FILTER d.a == d.b", (None, 0, False, False)),
        ("FILTER d.a == 1 OR d.b == 2", (None, 0, False, False)),
        ("FILTER d.a NOT IN [1]", (None, 0, False, False)),
        ("LET y = d.q FILTER d.a == y", (None, 0, False, False)),
        ("LIMIT 5 FILTER d.a == 1", (None, 0, False, False)),
        ("SORT d.a LIMIT 5", ("abc", 0, False, True)),
        ("SORT d.a DESC, d.b DESC", ("abc", 0, False, True)),
        ("SORT d.a, d.b DESC", (None, 0, False, False)),
        ("SORT d.b", (None, 0, False, False)),
        ("FILTER d.a == 1 SORT d.b", ("abc", 1, False, True)),
        ("FILTER d.a == 1 SORT d.a, d.b, d.c", ("abc", 1, False, True)),
        ("FILTER d.a IN [1, 2] SORT d.b", ("abc", 1, False, False)),
        ("FILTER d.a == 1 SORT d.c", ("abc", 1, False, False)),
        ("FILTER d.s == @v", ("thin", 1, False, False)),
        ("FILTER d.s == null", (None, 0, False, False)),
        ("SORT d.s", (None, 0, False, False)),
        ("FILTER @v IN d.tags", ("tags", 1, False, False)),
        ("FILTER @v IN d.items[*].sku", ("skus", 1, False, False)),
        ("FILTER d.items[*].sku == @v", (None, 0, False, False)),
        ("FILTER d.tags ANY == @v", (None, 0, False, False)),
        ("FILTER d.x.y >= 3", ("deep", 0, True, False)),
    ],
)
def test_one_loop(query: str, wanted: tuple[str | None, int, bool, bool]) -> None:
    (found,) = loops(f"FOR d IN c {query} RETURN d", INDEXES)
    assert (found.index, found.equalities, found.ranged, found.sorted) == wanted


def test_a_value_from_a_loop_around_counts_but_not_for_a_sparse_index() -> None:
    """The optimiser cannot see that it is no null, unless a condition says so."""
    around = "FOR e IN @@other FILTER e._key == @k FOR d IN c FILTER d.{} == e.x{} RETURN d"
    first = loops(around.format("a", ""), INDEXES, {"@other": "o"})
    assert [(each.collection, each.index) for each in first] == [("o", "primary"), ("c", "abc")]
    assert full_scans(around.format("s", ""), INDEXES, {"@other": "o"}) == ["c"]
    assert full_scans(around.format("s", " AND d.s > ''"), INDEXES, {"@other": "o"}) == []


def test_subqueries_are_looked_at_too() -> None:
    query = "LET n = (FOR d IN c FILTER d.a == 1 RETURN d) FOR x IN n LET m = (FOR e IN c RETURN e) RETURN m"
    assert [each.index for each in loops(query, INDEXES)] == ["abc", None]
    assert full_scans(query, INDEXES) == ["c"]
