"""Which index each loop of a query can use, by the documented rules; nothing is run and nothing is estimated.

* A loop uses one index, for conditions of its FILTERs that are joined by AND: ``== IN < <= > >=`` with an attribute of
  the loop's variable bare on one side and something known before the loop on the other.
* The fields of an index count from the left; equalities and IN go on to the next field, a range ends it.
* ``x IN d.list`` uses an index on ``list[*]``, for one equality and no order.
* A sparse index needs a condition that no null fulfils: a comparison with a constant or a bound value does.
* A SORT is served where its fields follow those with an equality, all in one direction; then no condition is needed
  (but for a sparse index).
* The primary index is sorted by ``_key``.

What an optimiser makes of it is its own business: this finds loops that cannot but look at everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lark import Token, Tree

from tests.doubles.arangodb.aql.facts import MODIFICATIONS, resolve
from tests.doubles.arangodb.aql.syntax import Node, child, name, parse, subtrees, tokens

_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_ENDS: Final = MODIFICATIONS | {"collect_stmt", "limit_stmt", "window_stmt", "return_stmt"}
"""Statements behind which a FILTER or SORT is no longer one of the loop."""


@dataclass(frozen=True, slots=True)
class IndexForm:
    """An index as far as it matters here."""

    name: str
    fields: tuple[str, ...]
    sparse: bool = False


@dataclass(frozen=True, slots=True)
class Loop:
    collection: str
    variable: str
    index: str | None
    """None: every document is looked at."""
    equalities: int = 0
    """Leading fields with an equality."""
    ranged: bool = False
    """A range on the field after those."""
    sorted: bool = False
    """The index gives the order that SORT asks for."""


@dataclass(frozen=True, slots=True)
class Condition:
    field: str
    """Path below the variable, with ``[*]`` for an element of an array."""
    sign: str
    """``==``, ``in`` or a comparison, with the field on the left."""
    not_null: bool
    value: Node
    """The other side."""


_PRIMARY: Final = (IndexForm("primary", ("_key",)), IndexForm("primary", ("_id",)))


def loops(text: str, indexes: Mapping[str, Sequence[IndexForm]], bound: Mapping[str, str] | None = None) -> list[Loop]:
    """All loops over collections, in the order of the text. ``bound``: values of names like ``@c``."""
    found = []
    tree = parse(text)
    variables = {each for node in subtrees(tree) for each in _declared(node)}
    for query in (node for node in subtrees(tree) if node.data == "query"):
        for place, statement in enumerate(query.children):
            collection = _collection(statement, variables)
            if isinstance(statement, Tree) and collection is not None:
                named = resolve(collection, bound or {})
                known = [*_PRIMARY, *indexes.get(named, ())]
                found.append(_loop(named, statement, query.children[place + 1 :], known))
    return found


def full_scans(
    text: str, indexes: Mapping[str, Sequence[IndexForm]], bound: Mapping[str, str] | None = None
) -> list[str]:
    """Collections of which a query looks at everything."""
    return [each.collection for each in loops(text, indexes, bound) if each.index is None]


def _declared(node: Tree[Token]) -> list[str]:
    if node.data in ("for_stmt", "let_item", "assign", "agg", "into", "collect_body"):
        return tokens(node, "NAME")
    return []


def _collection(statement: Node, variables: set[str]) -> str | None:
    if not isinstance(statement, Tree) or statement.data != "for_stmt":
        return None
    source = statement.children[1]
    if isinstance(source, Token):
        return str(source) if source.type == "COLLPARAM" else None
    named = source.data == "var" and name(source.children[0]) not in variables
    return name(source.children[0]) if named else None


def _loop(collection: str, statement: Tree[Token], rest: Sequence[Node], known: Sequence[IndexForm]) -> Loop:
    variable = name(statement.children[0])
    conditions, order = _demands(variable, rest)
    usable = [_use(collection, variable, index, conditions, order) for index in known]
    best = max(usable, key=lambda each: (each.equalities, each.ranged, each.sorted))
    useful = best.equalities or best.ranged or best.sorted
    return best if useful else Loop(collection, variable, None)


def _demands(variable: str, rest: Sequence[Node]) -> tuple[list[Condition], list[tuple[str, bool]]]:
    """Conditions on the variable, and the (field, descending) of a SORT; empty where the SORT is not of fields only."""
    conditions: list[Condition] = []
    later: set[str] = {variable}
    for statement in rest:
        assert isinstance(statement, Tree)
        if statement.data == "filter_stmt":
            parts = conjuncts(statement.children[0])
            conditions += [each for part in parts if (each := condition(variable, part, later)) is not None]
        elif statement.data == "sort_stmt":
            return conditions, _order(variable, statement)
        elif statement.data in _ENDS:
            break
        later |= {each for node in subtrees(statement) for each in _declared(node)}
    return conditions, []


def conjuncts(node: Node) -> Iterator[Node]:
    """The parts that AND joins."""
    if isinstance(node, Tree) and node.data == "and_":
        for each in node.children:
            yield from conjuncts(each)
    else:
        yield node


def condition(variable: str, node: Node, later: set[str]) -> Condition | None:
    """What a comparison demands of an attribute of the variable, if an index could serve it.

    ``later``: variables that are not known before the loop.
    """
    if not isinstance(node, Tree) or node.data != "cmp" or len(node.children) != 3:
        return None
    left, operator, right = node.children
    assert isinstance(operator, Tree)
    if child(operator, "quant"):
        return None
    sign = str(operator.children[0]) if operator.data == "op_compare" else operator.data
    mine, other = _path(variable, left), _path(variable, right)
    mine = None if mine is not None and "[*]" in mine else mine
    if sign == "op_in" and other is not None and not _uses(left, later):
        return Condition(other if "[*]" in other else f"{other}[*]", "==", True, left)
    if mine is not None and not _uses(right, later) and sign in (*_FLIPPED, "op_in"):
        return Condition(mine, "in" if sign == "op_in" else sign, _is_given(right), right)
    if other is not None and "[*]" not in other and not _uses(left, later) and sign in _FLIPPED:
        return Condition(other, _FLIPPED[sign], _is_given(left), left)
    return None


def _path(variable: str, node: Node) -> str | None:
    """Attribute path of the variable: ``a.b`` or ``a[*].b``; None for anything else."""
    if not isinstance(node, Tree):
        return None
    if node.data == "var":
        return "" if name(node.children[0]) == variable else None
    if node.data not in ("attr", "expansion"):
        return None
    base = _path(variable, node.children[0])
    if base is None:
        return None
    if node.data == "attr":
        return f"{base}.{name(node.children[1])}".lstrip(".")
    inline = child(node, "inline")
    return f"{base}[*]" if str(node.children[1]) == "*" and inline is not None and not inline.children else None


def _uses(node: Node, variables: set[str]) -> bool:
    used = {name(each.children[0]) for each in subtrees(node) if each.data == "var"}
    return bool(used & variables)


def _is_given(node: Node) -> bool:
    """A constant or a bound value, of which the optimiser can see that it is no null."""
    return isinstance(node, Token) and (node.type != "CONST" or node.upper() != "NULL")


def _order(variable: str, statement: Tree[Token]) -> list[tuple[str, bool]]:
    elements = [each for each in statement.children if isinstance(each, Tree)]
    paths = [(_path(variable, each.children[0]), str(each.children[-1]).upper() == "DESC") for each in elements]
    return [(path, down) for path, down in paths if path] if all(path for path, _ in paths) else []


def _use(
    collection: str,
    variable: str,
    index: IndexForm,
    conditions: Sequence[Condition],
    order: Sequence[tuple[str, bool]],
) -> Loop:
    by_field: dict[str, list[Condition]] = {}
    for each in conditions:
        by_field.setdefault(each.field, []).append(each)
    signs = [{each.sign for each in by_field.get(field, ())} for field in index.fields]
    equalities = next((place for place, each in enumerate(signs) if not each & {"==", "in"}), len(signs))
    ranged = equalities < len(signs) and bool(signs[equalities])
    single = all("==" in each for each in signs[:equalities])
    is_sorted = single and _serves(index.fields, {field for field, each in by_field.items() if _fixed(each)}, order)
    covered = index.fields if index.sparse else ()
    if not all(any(each.not_null for each in by_field.get(field, ())) for field in covered):
        return Loop(collection, variable, None)
    return Loop(collection, variable, index.name, equalities, ranged, is_sorted)


def _fixed(conditions: Sequence[Condition]) -> bool:
    return any(each.sign == "==" for each in conditions)


def _serves(fields: Sequence[str], fixed: set[str], order: Sequence[tuple[str, bool]]) -> bool:
    """Whether entries come in this order: fields with one value do not count, the others follow each other."""
    wanted = [(field, down) for field, down in order if field not in fixed]
    rest = [field for field in fields if field not in fixed]
    one_direction = len({down for _, down in order}) <= 1
    if not order or not one_direction or any("[*]" in field for field in fields):
        return False
    return [field for field, _ in wanted] == rest[: len(wanted)]
