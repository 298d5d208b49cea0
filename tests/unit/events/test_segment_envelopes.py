"""Segment-shaped items to envelopes: what is read from where, what is mended, and what cannot be understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.contracts.log_records import Item, RequestBlock
from leocdp.contracts.stored_event import decode_body, event_body
from leocdp.contracts.wire.segment import ItemError, build_envelope
from leocdp.domain.events import EVENT_TYPES, Address, Envelope, SourceFacts
from leocdp.domain.identity.rules import default_rules

NOW = 1_795_293_600_000
RULES = default_rules()
BROWSER = SourceFacts("web")
SERVER = SourceFacts("shop", authenticated=True, id_space="shop")
PLACE = Address("leocdp.events.accepted.v1", 3, 7, 0)
RECORDED = json.loads(Path(__file__).with_name("recorded_items.json").read_text(encoding="utf-8"))


def build(
    body: Any, source: SourceFacts = BROWSER, type: str = "", place: Address = PLACE, at: int = NOW, **block: Any
) -> Envelope:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    item = Item(type or (body.get("type", "track") if isinstance(body, dict) else "track"), text)
    request = RequestBlock(at, source.id, "segment", [item], **block)
    return build_envelope(item, request, source, place, RULES)


def track(**fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Order Completed", "userId": "u-1", "messageId": "m-1", **fields}


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda each: f"{each['client']} {each['type']}")
def test_items_of_the_official_clients(recorded: dict[str, Any]) -> None:
    item = Item(recorded["type"], json.dumps(recorded["item"]).encode())
    source = SourceFacts("src", recorded["authenticated"])
    block = RequestBlock(
        *(recorded["received_at"], "src", "segment", [item], recorded["sent_at"]),
        ip="198.51.100.7",
        user_agent="client/1",
        authenticated=recorded["authenticated"],
    )
    envelope = build_envelope(item, block, source, PLACE, RULES)
    found = {
        "name": envelope.name,
        "user_id": envelope.user_id,
        "anonymous_id": envelope.anonymous_id,
        "previous_id": envelope.previous_id,
        "group_id": envelope.group_id,
        "message_id": envelope.message_id,
        "identifiers": [identifier.key for identifier in envelope.identifiers],
        "dropped": [list(pair) for pair in envelope.dropped],
        "traits": envelope.traits,
        "properties": envelope.properties,
        "late_ms": envelope.received_at - envelope.timestamp,
        "ip": envelope.context.get("ip"),
        "flags": list(envelope.flags),
    }
    assert {name: value for name, value in found.items() if value not in (None, [], {})} == recorded["expect"]
    assert envelope.type == recorded["type"]


def test_recordings_cover_every_type() -> None:
    assert {each["type"] for each in RECORDED} == set(EVENT_TYPES)


def test_a_whole_event() -> None:
    found = build(
        track(
            anonymousId="a-1",
            timestamp="2026-11-21T20:31:51.196Z",
            properties={"total": 10},
            context={"traits": {"email": "Lan@x.vn"}, "consent": {"categoryPreferences": {"marketing": True}}},
            integrations={"All": False},
            channel="web",
            writeKey="secret",
        ),
        sent_at="2026-11-21T20:31:52.196Z",
    )
    assert found == Envelope(
        message_id="m-1",
        type="track",
        source=BROWSER,
        protocol="segment",
        received_at=NOW,
        timestamp=NOW - 1000,
        address=PLACE,
        name="Order Completed",
        anonymous_id="a-1",
        user_id="u-1",
        identifiers=found.identifiers,
        properties={"total": 10},
        context={
            "traits": {"email": "Lan@x.vn"},
            "consent": {"categoryPreferences": {"marketing": True}},
            "channel": "web",
        },
        integrations={"All": False},
        consent={"marketing": True},
        original_timestamp=1_795_293_111_196,
        sent_at=1_795_293_112_196,
    )
    assert [each.key for each in found.identifiers] == ["user_id:u-1", "email:lan@x.vn", "anonymous_id:a-1"]
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "unreadable"),
        (b"{", "unreadable"),
        (b'{"a": "\xff"}', "unreadable"),
        (b"[" * 200 + b"]" * 200, "too_deep"),
        (b"[]", "not_an_object"),
        (b'"x"', "not_an_object"),
        (b"null", "not_an_object"),
        (track(event=None), "missing_event"),
        (track(event="  "), "missing_event"),
        (track(event={}), "missing_event"),
        ({"type": "group", "userId": "u"}, "missing_group_id"),
        ({"type": "alias", "userId": "u"}, "missing_previous_id"),
        ({"type": "alias", "userId": "u", "previousId": ""}, "missing_previous_id"),
        ({"type": "delete", "userId": "u"}, "unknown_type"),
    ],
)
def test_what_cannot_be_understood(body: Any, reason: str) -> None:
    with pytest.raises(ItemError) as caught:
        build(body)
    assert caught.value.reason == reason
    assert str(caught.value)


def test_the_type_of_the_path_wins_and_that_of_the_body_helps() -> None:
    page = {"type": "page", "name": "Home", "anonymousId": "a"}
    assert build_envelope_of(Item("", json.dumps(page).encode())).type == "page"
    assert build_envelope_of(Item("identify", json.dumps(page).encode())).type == "identify"


def build_envelope_of(item: Item) -> Envelope:
    return build_envelope(item, RequestBlock(NOW, "web", "segment", [item]), BROWSER, PLACE, RULES)


def test_traits_are_those_of_identify_with_the_contexts_under_them() -> None:
    context = {"traits": {"plan": "old", "city": "Huế"}}
    identify = build({"type": "identify", "userId": "u", "traits": {"plan": "pro", "gone": None}, "context": context})
    assert identify.traits == {"plan": "pro", "city": "Huế", "gone": None}
    assert build(track(context=context, traits={"plan": "x"})).traits == {}
    group = build({"type": "group", "userId": "u", "groupId": "g", "traits": {"name": "Acme"}, "context": context})
    assert (group.traits, group.group_id) == ({"name": "Acme"}, "g")


def test_names_of_pages_and_screens() -> None:
    assert build({"type": "page", "userId": "u", "name": "Home", "category": "Docs"}).name == "Home"
    assert build({"type": "page", "userId": "u", "name": "Home", "category": "Docs"}).properties == {"category": "Docs"}
    assert build({"type": "screen", "userId": "u", "properties": {"name": "Main", "category": "C"}}).name == "Main"
    nameless = build({"type": "page", "userId": "u", "category": "Docs", "properties": {"category": "Own"}})
    assert (nameless.name, nameless.properties) == (None, {"category": "Own"})
    assert build({"type": "identify", "userId": "u", "name": "x"}).name is None


def test_previous_id_is_for_aliases_only() -> None:
    assert build({"type": "alias", "userId": "u", "previousId": " a-1 "}).previous_id == "a-1"
    assert build(track(previousId="a-1")).previous_id is None


def test_the_context_of_a_batch_lies_under_the_items_key_by_key() -> None:
    batch = json.dumps({"page": {"url": "b"}, "locale": "vi", "traits": {"phone": "0901234567"}}).encode()
    found = build(track(context={"page": {"path": "/"}}), context=batch, integrations=b'{"All": true, "X": false}')
    assert found.context == {"page": {"path": "/"}, "locale": "vi", "traits": {"phone": "0901234567"}}
    assert [each.kind for each in found.identifiers] == ["user_id", "phone"]
    assert found.integrations == {"All": True, "X": False}
    again = build(track(integrations={"X": {"on": 1}}), context=batch, integrations=b'{"All": true, "X": false}')
    assert again.integrations == {"All": True, "X": {"on": 1}}
    assert again.context == {"page": {"url": "b"}, "locale": "vi", "traits": {"phone": "0901234567"}}


def test_items_of_a_batch_do_not_write_into_its_context() -> None:
    batch = b'{"locale": "vi"}'
    build(track(channel="x"), context=batch, ip="192.0.2.1")
    assert build(track(), context=batch).context == {"locale": "vi"}


@pytest.mark.parametrize("batch", [b"[]", b"{", b'"x"'])
def test_a_batch_context_that_is_none_is_flagged(batch: bytes) -> None:
    found = build(track(context={"locale": "vi"}), context=batch)
    assert found.context == {"locale": "vi"}
    assert found.flags == ("bad_batch",)


def test_the_address_of_a_page_is_its_connections() -> None:
    spoofed = track(context={"ip": "203.0.113.9", "userAgent": "UA"})
    assert build(spoofed, ip="192.0.2.1", user_agent="Agent").context == {"ip": "192.0.2.1", "userAgent": "UA"}
    assert build(track(), ip="192.0.2.1", user_agent="Agent").context == {"ip": "192.0.2.1", "userAgent": "Agent"}
    dropped_by_policy = build(spoofed)
    assert dropped_by_policy.context == {"userAgent": "UA"}


def test_a_server_speaks_for_others() -> None:
    told = track(context={"ip": "203.0.113.9"})
    assert build(told, SERVER, ip="192.0.2.1", user_agent="node").context == {"ip": "203.0.113.9"}
    assert build(track(), SERVER, ip="192.0.2.1", user_agent="node").context == {}
    direct = build(track(context={"direct": True}), SERVER, ip="192.0.2.1", user_agent="node")
    assert direct.context == {"direct": True, "ip": "192.0.2.1", "userAgent": "node"}
    both = build(track(context={"direct": True, "ip": "203.0.113.9"}), SERVER, ip="192.0.2.1")
    assert both.context["ip"] == "203.0.113.9"


@pytest.mark.parametrize(
    ("fields", "block", "late", "flags"),
    [
        ({}, {}, 0, ()),
        ({"timestamp": "2026-11-21T20:31:51.196Z"}, {}, NOW - 1_795_293_111_196, ()),
        ({"originalTimestamp": "2026-11-21T20:31:51.196Z"}, {"sent_at": "2026-11-21T20:31:51.200Z"}, 4, ()),
        ({"timestamp": 1_795_293_111_196, "originalTimestamp": "x"}, {"sent_at": "2026-11-21T20:31:51.200Z"}, 4, ()),
        ({"timestamp": "2026-11-21T20:31:51.1Z", "sentAt": "2026-11-21T20:31:52.1Z"}, {}, 1000, ()),
        ({"timestamp": "2099-01-01T00:00:00Z"}, {}, 0, ("future",)),
        ({"timestamp": "yesterday"}, {}, 0, ("bad_timestamp",)),
        ({"timestamp": {}}, {}, 0, ("bad_timestamp",)),
        ({"timestamp": "1970-01-01T00:00:00Z"}, {}, 0, ("bad_timestamp",)),
        ({"timestamp": NOW - 5}, {"sent_at": "later"}, 5, ("bad_sent_at",)),
    ],
)
def test_times(fields: dict[str, Any], block: dict[str, Any], late: int, flags: tuple[str, ...]) -> None:
    found = build(track(**fields), **block)
    assert found.received_at - found.timestamp == late
    assert found.flags == flags


def test_the_original_time_is_kept_when_it_could_not_stand() -> None:
    found = build(track(timestamp="2099-01-01T00:00:00Z"))
    assert found.original_timestamp == 4_070_908_800_000
    assert found.timestamp == NOW


class TestMessageIds:
    TIMED: ClassVar = {"type": "track", "event": "Viewed", "anonymousId": "a", "timestamp": "2026-11-21T20:31:51.196Z"}
    TIMELESS: ClassVar = {"type": "track", "event": "Viewed", "anonymousId": "a"}

    def test_the_senders_is_kept(self) -> None:
        assert build(track(messageId=" m 1 ")).message_id == "m 1"
        assert build(track(messageId=17)).message_id == "17"
        assert build(track(messageId="m" * 100)).message_id == "m" * 100
        assert build(track()).flags == ()

    @pytest.mark.parametrize("given", [None, "", "  ", "m\n1", "m\x00", "m" * 101, {}, True])
    def test_an_unusable_one_is_derived(self, given: Any) -> None:
        found = build(track(messageId=given))
        assert found.message_id.startswith("auto-")
        assert found.flags == ("derived_message_id",)

    def test_a_retried_request_does_not_count_twice(self) -> None:
        first = build(self.TIMED, sent_at="2026-11-21T20:31:52Z")
        retried = build(self.TIMED, sent_at="2026-11-21T20:31:52Z", at=NOW + 5000, place=PLACE._replace(offset=99))
        assert first.message_id == retried.message_id

    @pytest.mark.parametrize("change", [{"event": "Other"}, {"timestamp": "2026-11-21T20:31:51.197Z"}, {"sentAt": 1}])
    def test_other_content_is_another_event(self, change: dict[str, Any]) -> None:
        assert build({**self.TIMED, **change}).message_id != build(self.TIMED).message_id

    def test_sending_time_type_and_source_count(self) -> None:
        ids = {
            build(self.TIMED).message_id,
            build(self.TIMED, sent_at="2026-11-21T20:31:52Z").message_id,
            build(self.TIMED, SERVER).message_id,
            build({**self.TIMED, "groupId": "g"}).message_id,
            build({**self.TIMED, "groupId": "g"}, type="group").message_id,
        }
        assert len(ids) == 5

    def test_without_any_time_each_arrival_is_an_event_of_its_own(self) -> None:
        first = build(self.TIMELESS)
        assert build(self.TIMELESS, place=PLACE._replace(item=1)).message_id != first.message_id
        assert build(self.TIMELESS, at=NOW + 1).message_id != first.message_id

    def test_replay_gives_the_same_id(self) -> None:
        assert build(self.TIMELESS).message_id == build(self.TIMELESS).message_id

    def test_equal_items_of_one_request_are_events_of_their_own(self) -> None:
        text = json.dumps(self.TIMED).encode()
        items = [Item("track", text), Item("track", text), Item("track", text)]
        block = RequestBlock(NOW, "web", "segment", items, "2026-11-21T20:31:52Z")
        once = [build_envelope(item, block, BROWSER, PLACE, RULES).message_id for item in items]
        later = RequestBlock(NOW + 9, "web", "segment", list(items), "2026-11-21T20:31:52Z")
        again = [build_envelope(item, later, BROWSER, PLACE._replace(offset=9), RULES).message_id for item in items]
        assert len(set(once)) == 3
        assert once == again


def test_consent_is_taken_where_it_is_yes_or_no() -> None:
    said = {"marketing": True, "analytics": False, "sharing": "true", "x": None, "y": 1, "": True, "z" * 101: True}
    context = {"consent": {"categoryPreferences": said}}
    for body in (track(context=context), {"type": "page", "userId": "u", "context": context}):
        assert build(body).consent == {"marketing": True, "analytics": False}
    for consent in (None, [], {}, {"categoryPreferences": []}):
        assert build(track(context={"consent": consent})).consent == {}


def test_fields_of_the_wrong_shape_are_left_out_and_flagged() -> None:
    found = build(track(properties=[1], context="x", integrations=3))
    assert (found.properties, found.context, found.integrations) == ({}, {}, {})
    assert found.flags == ("bad_properties", "bad_context", "bad_integrations")
    assert build({"type": "identify", "userId": "u", "messageId": "m", "traits": "x"}).flags == ("bad_traits",)


def test_numbers_as_ids_are_their_digits() -> None:
    found = build(track(userId=42, anonymousId=7.0, event=404))
    assert (found.user_id, found.anonymous_id, found.name) == ("42", "7", "404")
    assert [each.key for each in found.identifiers] == ["user_id:42", "anonymous_id:7"]


def test_nul_and_lone_surrogates_are_harmless() -> None:
    body = (
        rb'{"type": "identify", "userId": "u\u0000", "anonymousId": "a", "messageId": "m", '
        rb'"traits": {"na\u0000me": "L\ud800n", "big": 99999999999999999999999}}'
    )
    found = build(body, type="identify")
    assert found.traits == {"na\ufffdme": "L\ufffdn", "big": 1e23}
    assert [each.key for each in found.identifiers] == ["anonymous_id:a"]
    assert found.dropped == (("user_id", "malformed"),)
    event_body(found)


def test_stored_bodies_read_back() -> None:
    found = build(
        {
            "type": "alias",
            "userId": "u",
            "previousId": "a",
            "properties": {"x": 1},
            "context": {"consent": {"categoryPreferences": {"marketing": False}}},
            "integrations": {"All": True},
        }
    )
    assert decode_body(event_body(found)) == {
        "properties": {"x": 1},
        "traits": {},
        "context": {"consent": {"categoryPreferences": {"marketing": False}}},
        "integrations": {"All": True},
        "consent": {"marketing": False},
        "flags": ["derived_message_id"],
        "previous_id": "a",
    }


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just("2026-11-21T20:31:51Z")
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
FIELDS = (
    *("type", "event", "name", "category", "messageId", "userId", "anonymousId", "previousId", "groupId", "timestamp"),
    *("originalTimestamp", "sentAt", "traits", "properties", "context", "integrations", "channel"),
)
CONTEXT = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("traits", "device", "externalIds", "consent", "ip", "page", "campaign"), JSON)
)
ITEMS = st.fixed_dictionaries({}, optional={**dict.fromkeys(FIELDS, JSON), "context": st.one_of(JSON, CONTEXT)})


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


@given(
    body=st.one_of(st.binary(max_size=60), JSON.map(_encoded), ITEMS.map(_encoded)),
    type=st.sampled_from((*EVENT_TYPES, "", "x")),
    sent_at=st.one_of(st.none(), st.text(max_size=30)),
    batch=st.one_of(st.just(b""), st.binary(max_size=20), CONTEXT.map(_encoded)),
    source=st.sampled_from((BROWSER, SERVER, SourceFacts("kiosk", shared_device=True))),
)
def test_nothing_but_item_errors_and_the_same_again(
    body: bytes, type: str, sent_at: str | None, batch: bytes, source: SourceFacts
) -> None:
    item = Item(type, body)
    block = RequestBlock(NOW, source.id, "segment", [item], sent_at, batch, batch, "192.0.2.1", "agent")
    try:
        found = build_envelope(item, block, source, PLACE, RULES)
    except ItemError:
        return
    assert found == build_envelope(item, block, source, PLACE, RULES)
    assert found.timestamp <= found.received_at
    assert list(found.identifiers) == list(dict.fromkeys(RULES.sorted(found.identifiers)))
    assert found.verified <= set(found.identifiers)
    texts = [found.message_id, found.name, found.user_id, found.anonymous_id, found.previous_id, found.group_id]
    for text in [*texts, *(identifier.key for identifier in found.identifiers)]:
        assert "\x00" not in (text or "")
        (text or "").encode("utf-8")
    assert decode_body(event_body(found))["properties"] == msgspec.json.decode(msgspec.json.encode(found.properties))
