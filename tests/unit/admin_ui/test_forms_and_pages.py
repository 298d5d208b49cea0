"""Forms, snippets, charts and the small decisions of pages."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from leocdp.domain.errors import Problem
from leocdp.ports.profile_reader import Bucket
from leocdp_admin.application.errors import Conflict, NotFound, Unacceptable
from leocdp_admin.application.shapes.administration import CountsShape, SourceShape
from leocdp_admin.forms.form import Form
from leocdp_admin.forms.source_form import new_source_form, origins, source_asked, source_form
from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.charts import day_chart, per_day, per_hour_today
from leocdp_admin.views.door import inside
from leocdp_admin.views.health import health_signs
from leocdp_admin.views.live import server_event
from leocdp_admin.views.problems import CODES, explain
from leocdp_admin.views.snippets import curl_line, page_snippet, ways_in

EN, SAIGON = Localisation("en", "UTC"), Localisation("vi", "Asia/Ho_Chi_Minh")
NOW = datetime(2026, 3, 12, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", ["*"]),
        ("*", ["*"]),
        ("shop.example.vn", ["https://shop.example.vn"]),
        ("HTTPS://Shop.Example.vn/gio-hang?x=1", ["https://shop.example.vn"]),
        (
            "http://localhost:3000, https://*.example.com\nb.vn",
            ["http://localhost:3000", "https://*.example.com", "https://b.vn"],
        ),
    ],
)
def test_addresses_as_people_paste_them(typed: str, meant: list[str]) -> None:
    assert origins(typed) == meant


def source(**more: object) -> SourceShape:
    return SourceShape.model_validate(
        {
            "id": "src_1",
            "name": "Web shop",
            "kind": "browser",
            "write_key": "wk_1",
            "origins": ["*"],
            "id_space": "default",
            "shared_device": True,
            "consent_policy": "required",
            "enabled": True,
            "ip_policy": "shorten",
            "updated_at": NOW,
            "version": 3,
            **more,
        }
    )


def test_a_source_survives_its_form() -> None:
    asked = source_asked(source_form(source()), EN)
    assert asked is not None
    given = source().model_dump(include=set(asked.model_dump()))
    assert asked.model_dump() == given


def test_a_form_names_what_is_wrong() -> None:
    form = new_source_form("  ", "browser", "")
    assert source_asked(form, EN) is None
    assert form.problems == {"name": "Please fill this in."}
    assert source_asked(new_source_form("x" * 500, "browser"), EN) is None
    assert source_asked(new_source_form("x", "satellite"), EN) is None


def test_reading_a_form_does_not_change_it() -> None:
    form = Form()
    assert form.problems["name"] == ""
    assert form.values["name"] == ""
    assert form.ok


def test_what_the_application_refuses_stands_beside_its_field() -> None:
    form = Form()
    form.refused(Unacceptable([Problem("origins[0]", "is odd"), Problem("", "is all wrong")]), EN, otherwise="name")
    assert form.problems == {"origins": "is odd", "name": "is all wrong"}
    form.refused(Conflict("user_exists", "…"), EN, otherwise="name")
    assert form.problems["email"] == "Somebody with this e-mail address is here already."
    with pytest.raises(NotFound):
        form.refused(NotFound("user_not_found", "…"), EN, otherwise="name")


@pytest.mark.parametrize(
    ("target", "goes"),
    [
        ("/profiles?q=lan", "/profiles?q=lan"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/login", "/"),
        ("/a\nb", "/"),
        ("", "/"),
    ],
)
def test_after_the_login_one_stays_inside(target: str, goes: str) -> None:
    assert inside(target) == goes


def test_snippets_carry_the_key_and_cannot_be_broken_out_of() -> None:
    snippet = page_snippet("wk_1", "https://in.example.vn")
    assert '("wk_1", "https://in.example.vn")' in snippet
    assert page_snippet("</script>", "x").count("</script>") == 1
    assert "-u wk_1:" in curl_line("wk_1", "https://in.example.vn")
    body = re.search(r"-d '(.*)'", curl_line("wk_1", "x"))
    assert body is not None
    assert json.loads(body[1])["event"] == "Test Event"


def test_the_key_of_a_server_stands_in_nothing_for_a_page() -> None:
    server = ways_in(source(kind="server"), "https://in.example.vn", EN)
    assert [way.id for way in server] == ["test", "node", "python"]
    assert all("<script" not in step.code for way in server for step in way.steps)
    assert [way.id for way in ways_in(source(), "https://in.example.vn", EN)] == ["page", "npm", "test"]


def at(hours_ago: float, count: int) -> Bucket:
    moment = (NOW - timedelta(hours=hours_ago)).replace(minute=0)
    return Bucket(int(moment.timestamp() * 1000), count)


def test_days_begin_at_the_midnight_of_the_reader() -> None:
    # 08:30 UTC is 15:30 in Ho Chi Minh City, so its midnight was 15.5 hours ago.
    buckets = [at(1, 5), at(15, 7), at(16, 11), at(24 * 40, 99)]
    assert list(per_day(buckets, SAIGON, NOW, 3).values()) == [0, 11, 12]
    assert list(per_day(buckets, EN, NOW, 3).values()) == [0, 18, 5]
    today = per_hour_today(buckets, SAIGON, NOW)
    assert len(today) == 16
    assert sum(today.values()) == 12


def test_a_chart_is_plain_data() -> None:
    drawn = day_chart("bars", EN, [("Events", per_day([at(1, 5)], EN, NOW, 2))])
    assert drawn == {"kind": "bars", "labels": ["Mar 11", "Mar 12"], "series": [{"name": "Events", "values": [0, 5]}]}


def counts(**numbers: int) -> CountsShape:
    names = ("profiles", "people", "identified", "events", "duplicates", "filtered", "dead_letters", "rejected")
    return CountsShape.model_validate(dict.fromkeys(names, 0) | numbers)


def test_health_in_three_signs() -> None:
    assert [sign.colour for sign in health_signs(0, counts(), EN)] == ["green", "green", "green"]
    lag, failed, refused = health_signs(12, counts(dead_letters=1, rejected=2), EN)
    assert (lag.text, failed.text, refused.text) == (
        "12 deliveries are waiting",
        "1 failed event waits for you",
        "2 refused events",
    )
    assert health_signs(None, counts(), EN)[0].colour == "red"


def test_every_error_has_a_sentence_and_a_way_on() -> None:
    for code in [*CODES, "never_heard_of"]:
        said = explain(503, code, "what the application said", SAIGON)
        assert said.heading
        assert said.text
        assert said.ways[0][0].startswith("/")
    refused = explain(409, "command_refused", "same_person", EN)
    assert refused.text == "The two are one profile already. Nothing was changed."
    assert explain(409, "new_conflict", "It says why.", EN).text == "It says why."


def test_a_server_sent_event_cannot_be_split_by_its_data() -> None:
    assert server_event("row", "a\nb\r\nc", "7.1") == "id: 7.1\nevent: row\ndata: a\ndata: b\ndata: c\n\n"
