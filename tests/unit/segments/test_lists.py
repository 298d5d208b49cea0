"""Imported lists as commands: who is on them, who is counted, and what people see of it."""

from __future__ import annotations

from typing import Any

import pytest

from leocdp.domain.profiles.listing import labels_of
from leocdp.domain.segments.audience import list_label
from tests.fakes.world import World, key

LABEL = list_label("lst_1")


def on_list(world: World, token: str) -> bool:
    word = world.store.profiles[world.root(token)].folded.labels.get(LABEL)
    return bool(word and word.value)


def change(world: World, kind: str, *tokens: str) -> Any:
    return world.command(kind, list="lst_1", identifiers=[key(one) for one in tokens]).result


def test_people_are_found_by_any_of_their_identifiers() -> None:
    world = World()
    world.see("u1 x1", "u2 p2", "a3")
    assert change(world, "list_add", "x1", "p2", "x9") == {"matched": 2, "unknown": 1}
    assert [on_list(world, one) for one in ("u1", "u2", "a3")] == [True, True, False]
    assert change(world, "list_remove", "u1") == {"matched": 1, "unknown": 0}
    assert [on_list(world, one) for one in ("u1", "u2")] == [False, True]
    assert change(world, "list_add", "x1") == {"matched": 1, "unknown": 0}
    assert on_list(world, "u1"), "the latest word stands, whatever the identifier it came by"


def test_an_identifier_that_is_shared_is_nobodys() -> None:
    world = World()
    world.see("u1 x1")
    world.command("identifier_state", identifier=key("x1"), state="shared")
    assert change(world, "list_add", "x1") == {"matched": 0, "unknown": 1}


def test_a_list_is_no_label_that_people_see_or_give() -> None:
    world = World()
    world.see("u1")
    root = world.root("u1")
    change(world, "list_add", "u1")
    assert labels_of(world.store.profiles[root].folded) == ()
    world.command("label", profile=root, labels=["vip"])
    assert on_list(world, "u1"), "setting all labels is about those that people see"
    refused = world.command("label", profile=root, labels=[LABEL])
    assert (refused.state, refused.reason) == ("refused", "invalid:labels")


def test_the_list_goes_with_the_identifier_when_people_part() -> None:
    world = World()
    world.see("u1", "u2")
    one, two = world.root("u1"), world.root("u2")
    merged = world.command("merge", profile=one, with_=two).result
    change(world, "list_add", "u2")
    assert on_list(world, "u1")
    world.command("unmerge", merge_id=merged["merge_id"], identifier="keep")
    assert [on_list(world, one) for one in ("u1", "u2")] == [False, True]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"identifiers": ["user_id:u1"]}, "invalid:list"),
        ({"list": "lst_1"}, "invalid:identifiers"),
        ({"list": "lst_1", "identifiers": []}, "invalid:identifiers"),
        ({"list": "lst_1", "identifiers": [7]}, "invalid:identifiers"),
        ({"list": "lst_1", "identifiers": ["user_id:u"] * 1_001}, "invalid:identifiers"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(content: dict[str, Any], reason: str) -> None:
    outcome = World().command("list_add", **content)
    assert (outcome.state, outcome.reason) == ("refused", reason)


def test_adding_twice_writes_once() -> None:
    world = World()
    world.see("u1")
    change(world, "list_add", "u1", "u1")
    revision = world.store.profiles[world.root("u1")].revision
    assert change(world, "list_add", "u1") == {"matched": 1, "unknown": 0}
    assert world.store.profiles[world.root("u1")].revision == revision
