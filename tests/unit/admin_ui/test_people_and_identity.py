"""How people are called, and how their identity is explained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leocdp_admin.application.shapes.identity import IdentityShape
from leocdp_admin.application.shapes.profiles import ProfileRow, ProfileShape
from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.identity_views import identity_view
from leocdp_admin.views.people import consent_views, initials, person_view, source_name, trait_views
from leocdp_admin.views.reasons import left_apart, problem_reason, review_reason

EN, VI = Localisation("en", "UTC"), Localisation("vi", "UTC")
NOW = datetime(2026, 3, 12, 8, 0, tzinfo=UTC)
ME, OTHER, GONE = "prf_" + "0" * 28, "prf_" + "1" * 28, "prf_" + "2" * 28


def row(name: str = "", *identifiers: tuple[str, str]) -> ProfileRow:
    return ProfileRow.model_validate(
        {
            "id": ME,
            "status": "anonymous",
            "name": name,
            "first_seen": NOW,
            "last_seen": NOW,
            "labels": [],
            "identifiers": [{"kind": kind, "value": value} for kind, value in identifiers],
            "events": {"total": 1},
        }
    )


def test_a_person_is_called_by_name_else_by_contact_else_by_number() -> None:
    assert person_view(row("Lê Hoa"), EN).name == "Lê Hoa"
    known = person_view(row("", ("user_id", "u-1"), ("phone", "+84901"), ("email", "a@x.vn")), EN)
    assert known.name == "a@x.vn"
    assert [contact.value for contact in known.contacts] == ["a@x.vn", "+84901", "u-1"]
    nobody = person_view(row("", ("anonymous_id", "a-1")), EN)
    assert nobody.name == "Anonymous visitor 0000"
    assert nobody.contacts == []
    assert nobody.initials == ""


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Nguyễn Thị Mai", "NM"), ("Lan", "L"), ("", ""), ("  ", ""), ("(anh) Đức", "Đ"), ("ông Đức", "ÔĐ")],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_sources_are_named_and_people_are_not_exposed() -> None:
    names = {"src_1": "Web shop"}
    assert source_name("src_1", names, EN) == "Web shop"
    assert source_name("src_deleted", names, EN) == "src_deleted"
    assert source_name("usr_1", names, EN) == "set by hand"
    assert source_name("key:1", names, EN) == "set through the API"
    assert source_name(None, names, EN) == ""


def profile(**content: Any) -> ProfileShape:
    return ProfileShape.model_validate(
        {
            "id": ME,
            "merged_ids": [],
            "status": "identified",
            "name": "Lan",
            "first_seen": NOW,
            "last_seen": NOW,
            "identifiers": [],
            "traits": {},
            "events": {"total": 0},
            "consents": {},
            "labels": [],
            **content,
        }
    )


def test_details_begin_with_who_it_is_and_say_where_they_came_from() -> None:
    origin = {"source": "src_1", "updated_at": NOW - timedelta(days=2)}
    traits = {"age": 30, "email": "lan@x.vn", "name": "Lan", "zalo_oa": True}
    shape = profile(traits=traits, provenance=dict.fromkeys(traits, origin))
    views = trait_views(shape, {"src_1": "Web shop"}, EN, NOW)
    assert [view.label for view in views] == ["Name", "E-mail", "Age", "zalo oa"]
    assert views[0].origin == "Web shop, 2 days ago"


def test_consents_in_words() -> None:
    said = {"marketing": {"status": "denied", "at": NOW, "source": "usr_1"}, "analytics": {"status": "unknown"}}
    named = {"analytics": "Đo lường", "marketing": ""}
    assert consent_views(profile(consents=said), {}, named, EN, NOW)[1].name == "Đo lường"
    marketing, analytics = consent_views(profile(consents=said), {}, {}, EN, NOW)
    assert (marketing.name, marketing.status, marketing.origin) == ("Marketing", "Refused", "set by hand, just now")
    assert (analytics.status, analytics.origin) == ("Not asked", "")


def identifier(kind: str, value: str, state: str = "active", **more: Any) -> dict[str, Any]:
    seen = {"first_seen": NOW, "last_seen": NOW, "source": "src_1", "message_id": "m 1&2", "leaf": ME}
    return {"kind": kind, "value": value, "state": state, **seen, **more}


def identity(**content: Any) -> IdentityShape:
    lists: dict[str, Any] = {name: [] for name in ("identifiers", "merges", "switches", "refusals", "cannot_link")}
    return IdentityShape.model_validate({"profile_id": ME, **lists, **content})


def test_every_id_says_why_it_is_here_and_what_can_be_done() -> None:
    shape = identity(
        identifiers=[
            identifier("email", "a@x.vn"),
            identifier("anonymous_id", "a-1", "shared"),
            identifier("user_id", "u-1", "former", id_space="shop"),
        ]
    )
    email, browser, user = identity_view(shape, {"src_1": "Web shop"}, EN, NOW).identifiers
    assert email.why == "Came with an event from Web shop on Mar 12, 2026, 8:00:00\u202fAM, last seen just now."
    assert email.event_url == f"/profiles/{ME}/because?message=m+1%262&source=src_1"
    assert [one.next_state for one in (email, browser, user)] == ["shared", "active", ""]
    assert user.kind == "Customer ID (shop)"


def merge(**more: Any) -> dict[str, Any]:
    told = {"id": "mrg_1", "at": NOW, "by": "event", "actor": "", "into": ME, "from": GONE, "message_id": "m"}
    return {**told, "identifier": {"kind": "email", "value": "a@x.vn"}, "undone_at": None, **more}


def test_a_merge_says_what_and_why_and_whether_it_can_be_undone() -> None:
    by_hand = merge(id="mrg_2", by="user", identifier=None, undone_at=NOW)
    first, second = identity_view(identity(merges=[merge(), by_hand]), {}, EN, NOW).merges
    assert first.what == "Profile …222222 became part of this profile."
    assert "showed that both use E-mail a@x.vn" in first.why
    assert first.undoable
    assert first.connector == "E-mail a@x.vn"
    assert second.why.startswith("Merged by hand")
    assert second.undone.startswith("Undone on")
    assert not second.undoable


def test_a_switch_is_told_from_the_side_of_this_person() -> None:
    device = {"at": NOW, "identifier": {"kind": "anonymous_id", "value": "t"}, "message_id": "m", "count": 3}
    shape = identity(switches=[{**device, "from": OTHER, "to": ME}, {**device, "from": ME, "to": OTHER}])
    came, went = identity_view(shape, {}, EN, NOW).switches
    assert came.what == "Browser or app t was used by somebody else before, and belongs to this person now."
    assert went.what == "Browser or app t belonged to this person and is used by somebody else now."
    assert came.why.startswith("3 changes")
    assert {came.other, went.other} == {OTHER}


def test_a_refusal_names_the_reason_and_the_other_side() -> None:
    refused = {"at": NOW, "identifier": {"kind": "email", "value": "a@x.vn"}, "message_id": "m"}
    shape = identity(
        refusals=[
            {**refused, "owner": OTHER, "reason": "limit:user_id"},
            {**refused, "owner": ME, "reason": "device_rule"},
            {**refused, "owner": None, "reason": "identifier_cap"},
        ]
    )
    theirs, ours, nobodys = identity_view(shape, {}, EN, NOW).refusals
    assert (theirs.other, ours.other, nobodys.other) == (OTHER, "", "")
    assert theirs.why == "Each has a different Customer ID, and a person has only one."
    assert ours.what.startswith("An event of somebody else")
    assert "was not taken up" in nobodys.what


def test_reasons_in_words_and_unknown_ones_as_they_are() -> None:
    assert left_apart("limit:email", EN) == "Together they would have too many of these: E-mail."
    assert review_reason("limit:crm_id", VI) == "Mỗi bên có Mã CRM khác nhau, mà một người chỉ có một."
    assert review_reason("new_reason", EN) == "new reason"
    assert problem_reason("missing_id", EN) == "The event says neither who nor which browser"
    assert problem_reason("something_new", EN) == "Something new"
    assert problem_reason(None, EN) == ""
