"""What can be said about a query without running it: names it binds, collections it reads and writes, functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from lark import Token, Tree

from tests.doubles.arangodb.aql.syntax import Node, name, parse, subtrees, tokens

MODIFICATIONS: Final = frozenset({"insert", "update", "replace", "remove", "upsert"})
_BINDERS: Final = frozenset(
    {"for_stmt", "for_traversal", "name_list", "let_item", "assign", "agg", "into", "prune", "collect_body"}
)
_BINDERS_312: Final = frozenset({"for_destructured", "let_destructured", "destr_el", "destr_pair"})
_ALWAYS_BOUND: Final = frozenset({"CURRENT", "NEW", "OLD"})


@dataclass(frozen=True, slots=True)
class Access:
    """One use of a collection, in the order of the text. ``name`` is ``@@x`` where it is bound."""

    name: str
    writes: bool
    depth: int
    """How many subqueries it is in."""
    inside: tuple[str, ...]
    """Collections of the FOR loops around the subquery it is in."""


@dataclass(frozen=True, slots=True)
class Facts:
    binds: frozenset[str]
    """Names as in the bind variables: ``x`` for @x, ``@x`` for @@x."""
    functions: frozenset[str]
    accesses: tuple[Access, ...]
    document_after_write: bool
    """DOCUMENT() after a modification: not allowed, whatever it reads."""
    nested_write: bool
    """A modification inside the expression of another one."""

    def reads(self) -> frozenset[str]:
        return frozenset(each.name for each in self.accesses if not each.writes)

    def writes(self) -> frozenset[str]:
        return frozenset(each.name for each in self.accesses if each.writes)


@lru_cache(maxsize=1_024)
def facts(text: str) -> Facts:
    """Raises what :func:`parse` raises."""
    tree = parse(text)
    walk = _Walk(_bound_names(tree))
    walk.visit(tree)
    return Facts(frozenset(_binds(tree)), _functions(tree), tuple(walk.found), walk.document_after, walk.nested)


def _bound_names(tree: Tree[Token]) -> frozenset[str]:
    binders = [node for node in subtrees(tree) if node.data in _BINDERS | _BINDERS_312]
    return _ALWAYS_BOUND.union(*(tokens(node, "NAME") for node in binders))


def _binds(tree: Tree[Token]) -> set[str]:
    return {str(mark)[1:] for mark in tree.scan_values(_is_parameter)}


def _is_parameter(node: Node) -> bool:
    return isinstance(node, Token) and node.type in ("PARAM", "COLLPARAM")


def _functions(tree: Tree[Token]) -> frozenset[str]:
    return frozenset(function_name(node) for node in subtrees(tree) if node.data == "call")


def function_name(call: Tree[Token]) -> str:
    """In capitals; a user-defined one with its ``::``."""
    named = [each for each in call.children if isinstance(each, Token) and each.type in ("NAME", "LIKE")]
    return "::".join(named).upper()


class _Walk:
    """Goes through a tree in the order of the text and notes what is done to which collection."""

    def __init__(self, bound: frozenset[str]) -> None:
        self._bound = bound
        self._loops: list[str] = []
        self._depth = 0
        self.found: list[Access] = []
        self.document_after = False
        self.nested = False

    def visit(self, node: Node) -> None:
        if isinstance(node, Token):
            if node.type == "COLLPARAM":
                self._note(str(node), writes=False)
            return
        if node.data in MODIFICATIONS:
            self._modification(node)
        elif node.data in ("subquery", "query"):
            self._query(node)
        else:
            self._plain(node)

    def _plain(self, node: Tree[Token]) -> None:
        names_a_source = node.data in ("coll_name_or_param", "coll")
        alone = node.data == "pair" and len(node.children) == 1
        if names_a_source or ((node.data == "var" or alone) and name(node.children[0]) not in self._bound):
            self._note(name(node.children[0]), writes=False)
        elif node.data == "call" and function_name(node) == "DOCUMENT":
            self.document_after |= any(each.writes for each in self.found)
        for each in node.children:
            if not names_a_source:
                self.visit(each)

    def _query(self, node: Tree[Token]) -> None:
        outer = list(self._loops)
        self._depth += 1
        for each in node.children:
            self.visit(each)
            if isinstance(each, Tree) and each.data == "for_stmt":
                self._loops += self._loop_source(each)
        self._depth -= 1
        self._loops = outer

    def _loop_source(self, loop: Tree[Token]) -> list[str]:
        source = loop.children[1]
        if isinstance(source, Token):
            return [str(source)] if source.type == "COLLPARAM" else []
        named = source.data == "var" and name(source.children[0]) not in self._bound
        return [name(source.children[0])] if named else []

    def _modification(self, node: Tree[Token]) -> None:
        before = sum(each.writes for each in self.found)
        target = None
        for each in node.children:
            if isinstance(each, Tree) and each.data == "target_coll":
                target = name(each.children[0])
            else:
                self.visit(each)
        self.nested |= sum(each.writes for each in self.found) > before
        if target is not None:
            self._note(target, writes=True)

    def _note(self, collection: str, *, writes: bool) -> None:
        self.found.append(Access(collection, writes, self._depth, tuple(self._loops)))


def collections(text: str, bind_vars: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """(read, written) collections, bound names replaced."""
    known = facts(text)
    read = frozenset(resolve(each, bind_vars) for each in known.reads())
    return read, frozenset(resolve(each, bind_vars) for each in known.writes())


def resolve(collection: str, bind_vars: Mapping[str, Any]) -> str:
    return str(bind_vars.get(collection[1:], collection)) if collection.startswith("@@") else collection


def broken_order(text: str, bind_vars: Mapping[str, Any]) -> str | None:
    """Why the query reads or writes what it has modified before (errors 1579, 1573); None when it does not."""
    known = facts(text)
    if known.nested_write:
        return "a modification inside another one's expression"
    if known.document_after_write:
        return "DOCUMENT() after a modification"
    written: set[str] = set()
    for access in known.accesses:
        collection = resolve(access.name, bind_vars)
        if collection in written:
            return f"access to {collection} after its modification"
        around = {resolve(each, bind_vars) for each in access.inside}
        if access.writes and access.depth > 1 and collection in around:
            return f"a subquery modifies {collection}, which is read around it"
        if access.writes:
            written.add(collection)
    return None
