"""The check that every query a product sends has to pass, whether or not it is run.

``check(text, bind_vars, collections)`` raises AssertionError with all that is wrong. A test calls it on each text that
the code can send: syntax, names bound exactly, collections known, functions of 3.11, nothing that only 3.12 knows or
that 4.0 has removed, nothing read or written again after its modification (1579).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from lark import Token, Tree

from tests.doubles.arangodb.aql.facts import broken_order, collections, facts
from tests.doubles.arangodb.aql.syntax import FUNCTIONS, child, literal, name, parse, subtrees
from tests.doubles.arangodb.errors import ArangoProblem

ONLY_312: Final = frozenset({"ENTRIES", "PARSE_COLLECTION", "PARSE_KEY", "RANDOM", "REPEAT", "TO_CHAR"})
GONE_IN_40: Final = frozenset(
    {"APPLY", "CALL", "FULLTEXT", "IS_IN_POLYGON", "NEAR", "PREGEL_RESULT", "V8", "WITHIN", "WITHIN_RECTANGLE"}
)
OPTIONS_312: Final = frozenset({"versionAttribute", "readOwnWrites"})
OPTIONS_GONE: Final = frozenset({"overwrite", "bfs"})
RESERVED_40: Final = frozenset(
    {"INNER_JOIN", "LEFT_JOIN", "RIGHT_JOIN", "OUTER_JOIN", "MATCH", "WHILE", "UNTIL", "SCAN", "FOLD"}
)
ZONED: Final = {"DATE_ADD": 3, "DATE_SUBTRACT": 3, "DATE_TRUNC": 2, "DATE_FORMAT": 2, "DATE_ROUND": 3, "DATE_DIFF": 4}
"""Most arguments that these have in 3.11; 3.12 adds a time zone."""


def check(text: str, bind_vars: Mapping[str, Any], known_collections: Collection[str]) -> None:
    """Raises AssertionError with every problem of the query, one a line."""
    problems = problems_of(text, bind_vars, known_collections)
    assert not problems, "\n".join([text.strip(), *problems])


def problems_of(text: str, bind_vars: Mapping[str, Any], known_collections: Collection[str]) -> list[str]:
    """What is wrong with the query, each thing once."""
    return list(dict.fromkeys(_all(text, bind_vars, known_collections)))


def _all(text: str, bind_vars: Mapping[str, Any], known_collections: Collection[str]) -> Iterator[str]:
    try:
        known = facts(text)
    except ArangoProblem as error:
        yield error.message
        return
    yield from (f"bind parameter {each!r} has no value" for each in sorted(known.binds - bind_vars.keys()))
    yield from (f"value for {each!r}, which the text does not bind" for each in sorted(bind_vars.keys() - known.binds))
    read, written = collections(text, bind_vars)
    unknown = sorted((read | written) - set(known_collections))
    yield from (f"{each!r} is neither a variable nor a known collection" for each in unknown)
    yield from _functions(known.functions)
    if (order := broken_order(text, bind_vars)) is not None:
        yield f"1579: {order}"
    yield from _constructs(parse(text))


def _functions(used: frozenset[str]) -> Iterator[str]:
    for each in sorted(used):
        if each in ONLY_312:
            yield f"{each}() is not in 3.11"
        elif each in GONE_IN_40 or "::" in each:
            yield f"{each}() is gone in 4.0"
        elif each not in FUNCTIONS:
            yield f"{each}() is no function of AQL"


def _constructs(tree: Tree[Token]) -> Iterator[str]:
    for node in subtrees(tree):
        if node.data in ("for_destructured", "let_destructured"):
            yield "destructuring is not in 3.11"
        elif node.data == "upsert" and child(node, "upsert_filter"):
            yield "UPSERT FILTER is not in 3.11"
        elif node.data == "options":
            yield from _options(node)
        elif node.data == "cmp" and len(node.children) > 3:
            yield "a chain of comparisons: put parentheses"
        elif node.data == "cmp" and isinstance(node.children[0], Tree) and node.children[0].data == "negation":
            yield "NOT x IN y means (NOT x) IN y: write x NOT IN y"
        elif node.data == "call":
            yield from _call(node)
        yield from _reserved(node)


def _options(node: Tree[Token]) -> Iterator[str]:
    body = child(node, "object")
    for pair in body.children if body else ():
        assert isinstance(pair, Tree)
        key = name(pair.children[0]) if isinstance(pair.children[0], Token) else ""
        if key in OPTIONS_312:
            yield f"option {key} is not in 3.11"
        elif key in OPTIONS_GONE:
            yield f"option {key} is gone in 4.0"


def _call(node: Tree[Token]) -> Iterator[str]:
    first = node.children[0]
    called = str(first).upper() if isinstance(first, Token) else ""
    if called in ZONED and len(node.children) - 1 > ZONED[called]:
        yield f"{called}() takes a time zone only in 3.12"


def _reserved(node: Tree[Token]) -> Iterator[str]:
    for token in node.children:
        if isinstance(token, Token) and token.type == "NAME" and token.upper() in RESERVED_40:
            yield f"{token} is a reserved word in 4.0"
        elif isinstance(token, Token) and token.type == "NUMBER" and abs(literal(token)) >= 2**63:
            yield f"{token} does not fit 64 bits"
