"""The catalogue of live definitions: order, what is shared, and since when people have what it needs."""

from __future__ import annotations

from typing import Any

from leocdp.domain.segments.catalogue import Catalogue
from leocdp_processor.catalogue import LiveCatalogue
from tests.fakes.timeline import Announced

BOUGHT: dict[str, Any] = {"event": "Order Completed", "within": "30d"}


class Definitions:
    """Entries of the configuration, one after the other, each a second later."""

    def __init__(self) -> None:
        self.config = Announced()
        self.live = LiveCatalogue(self.config, "UTC")
        self.at = 0

    def segment(self, id: str, condition: dict[str, Any], version: int = 1, **more: Any) -> Catalogue:
        current = {"version": version, "condition": condition}
        return self.put("segment", id, {"id": id, "name": id, "current": current, **more})

    def put(self, kind: str, id: str, data: dict[str, Any], *, deleted: bool = False) -> Catalogue:
        self.at += 1_000
        self.config.put(kind, id, data, self.at, deleted=deleted)
        return self.live.current


def names(catalogue: Catalogue) -> list[str]:
    return [track.key for track in catalogue.tracks]


def test_segments_come_after_those_that_they_refer_to() -> None:
    all_of = Definitions()
    all_of.segment("sgm_c", BOUGHT)
    all_of.segment("sgm_b", {"segment": "sgm_c", "is": "in"})
    found = all_of.segment("sgm_a", {"all": [{"segment": "sgm_b", "is": "in"}, {"segment": "sgm_c", "is": "not_in"}]})
    assert names(found) == ["sgm_c:1", "sgm_b:1", "sgm_a:1"]
    assert found.dependents == {"sgm_c": (1, 2), "sgm_b": (2,)}


def test_a_circle_freezes_who_is_in_it_and_nobody_else() -> None:
    all_of = Definitions()
    all_of.segment("sgm_a", {"segment": "sgm_b", "is": "in"})
    all_of.segment("sgm_c", BOUGHT)
    found = all_of.segment("sgm_b", {"segment": "sgm_a", "is": "in"})
    assert names(found) == ["sgm_c:1"]
    assert found.frozen == {"sgm_a", "sgm_b"}
    assert found.keeps("sgm_a:1")
    assert not found.keeps("sgm_gone:1")


def test_the_same_question_is_kept_once_for_all_who_ask_it() -> None:
    all_of = Definitions()
    all_of.segment("sgm_a", BOUGHT)
    found = all_of.segment("sgm_b", {"all": [BOUGHT, {"trait": "plan", "is": "eq", "value": "pro"}]})
    [(key, counted)] = found.nodes.items()
    assert found.users == {key: (0, 1)}
    assert counted.since == 1_000, "who was brought up to the first segment has it already"
    assert found.counted_for("track", "Order Completed") == (counted,)
    assert found.counted_for("identify", "Order Completed") == ()
    assert found.traits == {"plan": (1,)}


def test_another_name_or_publication_asks_for_no_event_again() -> None:
    all_of = Definitions()
    version = {"version": 1, "condition": BOUGHT}
    all_of.put("segment", "sgm_a", {"id": "sgm_a", "name": "A", "next": version})
    all_of.put("segment", "sgm_a", {"id": "sgm_a", "name": "A", "current": version})
    found = all_of.put("segment", "sgm_a", {"id": "sgm_a", "name": "Other", "current": version})
    assert found.generation == 3_000
    assert [(track.at, track.ready, track.current) for track in found.tracks] == [(3_000, 1_000, True)]
    changed = all_of.segment("sgm_a", {"event": "Other"}, version=2)
    assert [track.ready for track in changed.tracks] == [4_000]


def test_a_pause_or_an_entry_that_was_missed_breaks_what_was_kept() -> None:
    all_of = Definitions()
    all_of.segment("sgm_a", BOUGHT)
    assert all_of.segment("sgm_a", BOUGHT, state="paused").tracks == ()
    assert [track.ready for track in all_of.segment("sgm_a", BOUGHT).tracks] == [3_000]
    all_of.config._versions["segment:sgm_a"] += 1  # one that this processor has not seen
    assert [track.ready for track in all_of.segment("sgm_a", BOUGHT).tracks] == [4_000]


def test_deletion_counts_and_what_is_not_valid_leaves_the_former_one() -> None:
    all_of = Definitions()
    all_of.segment("sgm_a", BOUGHT)
    broken = all_of.segment("sgm_a", {"event": 7}, version=2)
    assert (names(broken), broken.generation) == (["sgm_a:1"], 2_000)
    unread = all_of.put("segment", "sgm_b", {"id": "sgm_b"})
    assert unread.frozen == {"sgm_b"}
    gone = all_of.put("segment", "sgm_a", {}, deleted=True)
    assert (names(gone), gone.generation) == ([], 4_000)


def test_another_zone_makes_anew_only_what_looks_at_days() -> None:
    all_of = Definitions()
    all_of.segment("sgm_a", BOUGHT)
    all_of.segment("sgm_b", {"event": "Seen", "on_at_least": 2, "of_last": 3, "unit": "days"})
    found = all_of.put("workspace", "default", {"time_zone": "Asia/Ho_Chi_Minh"})
    assert [track.ready for track in found.tracks] == [1_000, 3_000]
    assert str(found.setting.zone) == "Asia/Ho_Chi_Minh"
    same = all_of.put("workspace", "default", {"time_zone": "Asia/Ho_Chi_Minh", "name": "Shop"})
    assert [track.ready for track in same.tracks] == [1_000, 3_000]
    unknown = all_of.put("workspace", "default", {"time_zone": "Asia/Nowhere"})
    assert str(unknown.setting.zone) == "Asia/Ho_Chi_Minh"


def test_scores_are_kept_where_somebody_asks_for_them() -> None:
    all_of = Definitions()
    assert all_of.segment("sgm_a", BOUGHT).scoring is None
    asked = all_of.segment("sgm_b", {"score": "lead", "is": "gte", "value": 10})
    assert asked.scoring is not None
    assert (asked.scoring_since, [track.ready for track in asked.tracks]) == (2_000, [1_000, 2_000])
    set_ = all_of.put("scoring", "default", {"half_lives": {"lead": "1d"}})
    assert (set_.scoring_since, [track.ready for track in set_.tracks]) == (3_000, [1_000, 3_000])
    wrong = all_of.put("scoring", "default", {"half_lives": {"lead": "soon"}})
    assert wrong.scoring == set_.scoring


def test_only_segments_that_anybody_may_be_in_are_asked_for_everybody_new() -> None:
    all_of = Definitions()
    all_of.segment("sgm_a", BOUGHT)
    all_of.segment("sgm_b", {"event": "Seen", "count": {"is": "eq", "value": 0}, "within": "7d"})
    all_of.segment("sgm_c", {"bucket": {"salt": "s", "from": 0, "to": 10}})
    found = all_of.segment("sgm_d", {"trait": "plan", "is": "ne", "value": "pro"})
    assert [found.tracks[place].segment for place in found.always] == ["sgm_b", "sgm_c", "sgm_d"]
