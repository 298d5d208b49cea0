"""Values at dotted paths, reached by bound names."""

from __future__ import annotations

from collections.abc import Callable

from leocdp.adapters.arango.segments.answers import Block
from leocdp.adapters.arango.segments.value_tests import Found
from leocdp.domain.segments.nodes import Path


def value_in(block: Block, named: Callable[[str], str], path: Path) -> Found:
    """``named``: the text for the value of a name at the beginning.

    What has the whole path for its name wins. In doubt where a list is on the way, which Python looks into.
    """
    whole = block.let("x", named(".".join(path)))
    if len(path) < 2:
        return Found(whole)
    step, lists = block.let("x", named(path[0])), []
    for part in path[1:]:
        lists.append(f"IS_ARRAY({step})")
        step = block.let("x", f"{step}[{block.names.bind(part)}]")
    value = block.let("x", f"{whole} != null ? {whole} : {step}")
    return Found(value, block.let("d", f"{whole} == null AND ({' OR '.join(lists)})"))


def property_at(block: Block, base: str, path: Path) -> Found:
    return value_in(block, lambda name: f"{base}[{block.names.bind(name)}]", path)
