"""Every AQL text that the adapter can send: checked by grammar, a constant, read only, and used."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import cast
from zoneinfo import ZoneInfo

import pytest

import leocdp.adapters.arango
from leocdp.adapters.arango.admin.schema import SCHEMA as ADMIN
from leocdp.adapters.arango.migrations import Schema
from leocdp.adapters.arango.profiles.schema import SCHEMA as PROFILES
from leocdp.adapters.arango.segments.printer import print_condition
from leocdp.ports.profile_reader import Question
from tests.doubles.arangodb.aql.checker import problems_of
from tests.doubles.arangodb.aql.facts import facts
from tests.doubles.arangodb.aql.plans import IndexForm, loops
from tests.fakes.segment_strategies import FAMILIES, HALF_LIVES, SEGMENTS, case, conditions

ROOT = Path(leocdp.adapters.arango.__file__).parent
SCHEMAS: tuple[Schema, ...] = (PROFILES, ADMIN)
COLLECTIONS = {collection.name for schema in SCHEMAS for step in schema.steps for collection in step.collections}
INDEXES: dict[str, list[IndexForm]] = {}
for schema in SCHEMAS:
    for step in schema.steps:
        for collection in step.collections:
            forms = [IndexForm(str(index["name"]), tuple(index["fields"])) for index in collection.indexes]
            INDEXES.setdefault(collection.name, []).extend(forms)
READ_WHOLE = {"admin_users", "admin_keys", "admin_config"}
"""Small collections of which everything is wanted, or which are not worth an index."""


PRINTER = {"printer.py", "event_loops.py", "event_tests.py", "person_tests.py", "value_tests.py", "date_tests.py"}
"""Modules of ``segments`` that put the texts of conditions together."""


def modules() -> Iterator[ModuleType]:
    for path in sorted(ROOT.rglob("aql.py")):
        yield importlib.import_module(".".join(("leocdp.adapters.arango", *path.relative_to(ROOT).parent.parts, "aql")))


def constants() -> dict[str, str]:
    found = {}
    for module in modules():
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, str):
                found[f"{module.__name__.removeprefix('leocdp.adapters.arango.')}.{name}"] = value
    return found


QUERIES = constants()


def test_there_are_queries_in_every_part() -> None:
    assert len(QUERIES) > 40


@pytest.mark.parametrize("text", QUERIES.values(), ids=QUERIES.keys())
def test_a_query_is_one_that_every_supported_server_runs(text: str) -> None:
    """Syntax, functions of 3.11, nothing that 4.0 has removed, known collections, no bound names."""
    known = facts(text)
    assert list(problems_of(text, dict.fromkeys(known.binds, 0), COLLECTIONS)) == []
    assert not known.writes(), "documents are written through the document API"
    assert not [name for name in known.binds if name.startswith("@")], "names of collections are not bound"
    assert "DOCUMENT" not in known.functions


@pytest.mark.parametrize("text", QUERIES.values(), ids=QUERIES.keys())
def test_an_index_that_is_hinted_at_exists(text: str) -> None:
    hinted = [part.partition('"')[2].partition('"')[0] for part in text.split("indexHint:")[1:]]
    assert set(hinted) <= {form.name for forms in INDEXES.values() for form in forms}


@pytest.mark.parametrize("text", QUERIES.values(), ids=QUERIES.keys())
def test_every_loop_has_an_index_which_also_gives_the_order_it_asks_for(text: str) -> None:
    for loop in loops(text, INDEXES):
        assert loop.index is not None or loop.collection in READ_WHOLE
        assert loop.sorted or f"SORT {loop.variable}." not in text, f"{loop.collection} would be sorted in memory"


def test_queries_are_constants_that_are_sent() -> None:
    """Whatever is run is an attribute of an aql module or comes as an argument from one; none is left over.

    The printer of conditions makes its texts itself; they are checked below.
    """
    used: set[str] = set()
    for path in ROOT.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used.update(
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "aql"
        )
        if path.name != "aql.py" and path.name not in PRINTER:
            texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
            assert not [text for text in texts if isinstance(text, str) and "FOR " in text and " IN " in text], path
            assert not any(isinstance(node, ast.JoinedStr) and "FILTER" in ast.dump(node) for node in ast.walk(tree))
    assert {name.rpartition(".")[2] for name in QUERIES} == used


def test_texts_of_conditions_are_ones_that_every_supported_server_runs() -> None:
    """Syntax, functions, collections, exactly the bound names, nothing of the condition in the text, an index."""
    asked = case(0)
    zone = cast(ZoneInfo, asked.setting.zone)
    for node in conditions(400, now=asked.now, zone=zone, start=0, families=FAMILIES):
        printed = print_condition(Question(node, asked.now, zone, SEGMENTS, HALF_LIVES))
        for text, binds in (printed.tally(0, 15), printed.some(0, 15, 10)):
            known = facts(text)
            assert list(problems_of(text, dict(binds), COLLECTIONS)) == [], text
            assert not known.writes()
            assert set(known.binds) == set(binds)
            assert "'" not in text
            for loop in loops(text, INDEXES):
                assert loop.index is not None, text
