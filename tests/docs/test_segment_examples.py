"""Every condition and definition that the documents show can be saved as it is, and the tables name what there is."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest

from leocdp.domain.scoring.document import scoring_from
from leocdp.domain.scoring.model import SCORE_OF, SCORES
from leocdp.domain.segments import limits
from leocdp.domain.segments.computed import FUNCTIONS, parse_computed
from leocdp.domain.segments.nodes import TestOperator as Operator
from leocdp.domain.segments.parse import parse_condition
from leocdp.domain.segments.words import describe
from tests.architecture.project import ROOT

SEGMENTS = (ROOT / "docs" / "segments.md").read_text(encoding="utf-8")
SCORING = (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks(SEGMENTS, "json"))
def test_conditions_can_be_saved(block: str) -> None:
    parse_condition(json.loads(block))


def test_there_is_a_computed_trait_and_a_scoring_document() -> None:
    (definition,) = blocks(SEGMENTS, "json computed")
    parse_computed(json.loads(definition))
    (document,) = blocks(SCORING, "json")
    scoring_from(json.loads(document))


def test_the_words_shown_are_those_of_the_condition() -> None:
    said = " ".join(line.removeprefix("> ") for line in SEGMENTS.splitlines() if line.startswith("> "))
    assert said == describe(parse_condition(json.loads(blocks(SEGMENTS, "json")[0])), "en", {})


def test_every_operator_function_and_score_is_explained() -> None:
    assert {name for name in get_args(Operator) if f"`{name}`" not in SEGMENTS} == set()
    assert {name for name in FUNCTIONS if f"`{name}`" not in SEGMENTS} == set()
    assert {name for name in (*SCORES, *SCORE_OF) if f"`{name}`" not in SCORING} == set()


def test_the_limits_are_those_of_the_code() -> None:
    table = SEGMENTS.partition("| limit |")[2].partition("\n\n")[0]
    for limit in (
        *(limits.MOST_DEPTH, limits.MOST_NODES, limits.MOST_LISTED, limits.MOST_LISTED_IN_ALL, limits.MOST_STEPS),
        *(limits.LONGEST_TEXT, limits.LONGEST_NAME, limits.LONGEST_PATTERN, limits.MOST_PATH_PARTS),
        *(limits.MOST_DAYS, limits.MOST_WEEKS),
    ):
        assert re.search(rf"\b{limit:,}\b", table), limit
    assert f"{limits.LONGEST_WINDOW_MS // limits.DAY_MS:,} days" in SEGMENTS
