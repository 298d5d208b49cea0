"""Text to parse tree, and the small things that many places ask a tree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from lark import Lark, Token, Tree
from lark.exceptions import LarkError

from tests.doubles.arangodb.errors import ArangoProblem

Node = Tree[Token] | Token
_HERE: Final = Path(__file__).parent
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)

FUNCTIONS: Final = frozenset((_HERE / "functions.txt").read_text(encoding="utf-8").split())
"""Names of all functions of 3.11."""


@cache
def _grammar() -> Lark:
    text = (_HERE / "aql.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="contextual", maybe_placeholders=False, propagate_positions=True)


@lru_cache(maxsize=1_024)
def parse(text: str) -> Tree[Token]:
    """The tree of a query. Raises 1502 for nothing at all and 1501, with the place, for what is not AQL."""
    if not text.strip():
        raise ArangoProblem(1502)
    try:
        return _grammar().parse(text)
    except LarkError as error:
        raise ArangoProblem(1501, str(error).strip().split("\n\n")[0].replace("\n", " ")) from error


def subtrees(node: Node) -> Iterator[Tree[Token]]:
    """The node and all below it, in the order of the text."""
    if isinstance(node, Tree):
        yield node
        for child in node.children:
            yield from subtrees(child)


def tokens(node: Tree[Token], *kinds: str) -> list[str]:
    """Names among the node's own children."""
    return [name(each) for each in node.children if isinstance(each, Token) and each.type in kinds]


def child(node: Tree[Token], *kinds: str) -> Tree[Token] | None:
    return next((each for each in node.children if isinstance(each, Tree) and each.data in kinds), None)


def name(token: Node) -> str:
    """A name without its quotes."""
    assert isinstance(token, Token)
    if token.type == "NAME" and token[0] in "`´":
        return _unescape(token[1:-1])
    return str(literal(token)) if token.type == "STRING" else str(token)


def literal(token: Token) -> Any:
    if token.type == "STRING":
        return _unescape(token[1:-1])
    if token.type == "CONST":
        return {"TRUE": True, "FALSE": False, "NULL": None}[token.upper()]
    if token[:2].lower() in ("0x", "0b"):
        return int(token, 0)
    return int(token) if token.isdigit() else json.loads(token if token[0] != "." else f"0{token}")


def _unescape(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        mark = found.group(1)
        return chr(int(mark[1:], 16)) if mark[0] == "u" and len(mark) == 5 else _ESCAPES.get(mark, mark)

    if "\\" not in text:
        return text
    return _ESCAPE.sub(plain, text).encode("utf-16", "surrogatepass").decode("utf-16")
