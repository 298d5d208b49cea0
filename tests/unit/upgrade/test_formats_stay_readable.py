"""What is written today can be read by released programs, and what a newer program writes is not lost on this one.

A released program does not run here. Its readers ignore what they do not know, so it is enough that everything it
knows is still there, in the same type: held against the fields and documents that were recorded with the release.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from leocdp.contracts.commands import CommandRecord, decode_command
from leocdp.contracts.config_entries import ConfigEntry, decode_entry, segment_config, source_config
from leocdp.contracts.log_records import VERSION, RecordUnreadable, decode_accepted, decode_rejected
from leocdp.contracts.principal import Principal, PrincipalRefused, sign, verify
from leocdp.contracts.topics import COMMANDS, CONFIG, PROFILES_CHANGED, SEGMENTS_MEMBERSHIP
from leocdp.domain.profiles.state import State
from leocdp.ports.config_view import publish_entry
from leocdp.ports.event_log import NewRecord
from tests.protocols.running_edge import running_edge, until
from tests.unit.processor.driving import running, track
from tests.unit.upgrade import recording, story
from tests.unit.upgrade.inventory import breaks, inventory
from tests.unit.upgrade.recording import RELEASES, read

JSON_TOPICS = (COMMANDS, CONFIG, PROFILES_CHANGED, SEGMENTS_MEMBERSHIP)


@pytest.mark.parametrize("release", RELEASES)
def test_no_field_of_a_release_is_gone_or_of_another_type(release: str) -> None:
    assert breaks(read(release, "fields.json"), inventory()) == []


def field(name: str, required: bool = True, type: str = "str", default: str | None = None) -> dict[str, Any]:
    return {"name": name, "type": type, "required": required, "default": default}


OLD = {"A": {"form": "array", "fields": [field("x"), field("y", False, "int", "0")]}}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ([field("x")], "A.y is gone"),
        ([field("x"), field("y", False, "str", "0")], "A.y was int and is str"),
        ([field("x"), field("y", False, "int", "7")], "A.y means something else"),
        ([field("x", False, default="''"), field("y", False, "int", "0")], "A.x was needed"),
        ([field("x"), field("y", False, "int", "0"), field("z")], "A.z is new"),
        ([field("x"), field("z", False), field("y", False, "int", "0")], "A.x/y are not the first"),
    ],
)
def test_a_change_that_older_readers_cannot_take_is_noticed(fields: list[dict[str, Any]], problem: str) -> None:
    assert any(one.startswith(problem) for one in breaks(OLD, {"A": {"form": "array", "fields": fields}}))
    added = [*OLD["A"]["fields"], field("z", False, default="''")]
    assert breaks(OLD, {"A": {"form": "array", "fields": added}}) == []


def shape(documents: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Attribute → the JSON types that it has anywhere."""
    found: dict[str, set[str]] = {}
    for document in documents:
        for name, value in document.items():
            found.setdefault(name, set()).add(type(value).__name__)
    return found


def lost(released: dict[str, set[str]], today: dict[str, set[str]], place: str) -> list[str]:
    """Attributes of a release that are not written any more, or in another type."""
    return [
        f"{place}.{name} was {'/'.join(sorted(kinds))} and is {'/'.join(sorted(today.get(name, {'gone'})))}"
        for name, kinds in released.items()
        if not today.get(name, set()) - {"NoneType"} <= kinds or name not in today
    ]


async def test_documents_of_today_have_what_released_programs_look_for() -> None:
    today = await recording.arango()
    for release in RELEASES:
        for name, (documents, _) in today.items():
            released = read(release, name)["collections"]
            assert released.keys() <= documents["collections"].keys()
            for collection, rows in released.items():
                now = shape(documents["collections"][collection])
                assert lost(shape(rows), now, collection) == [], release


async def test_messages_of_today_have_what_released_programs_and_other_systems_look_for(tmp_path: Path) -> None:
    _, records = await story.play(tmp_path)
    for topic in JSON_TOPICS:
        now = shape([json.loads(one.value or b"") for one in records if one.topic == topic])
        for release in RELEASES:
            told = [json.loads(one["text"]) for one in read(release, "records.json") if one["topic"] == topic]
            assert lost(shape(told), now, topic) == [], release


def test_readers_pass_over_what_they_do_not_know() -> None:
    later = msgspec.msgpack.encode([VERSION, [[1, "src", "segment", [["track", b"{}", 5]]]], {"new": 1}])
    assert [block.source_id for block in decode_accepted(later).blocks] == ["src"]
    whole = msgspec.msgpack.decode(story.accepted(1))
    whole[1][0] += ["of a later version", 7]
    assert decode_accepted(msgspec.msgpack.encode(whole)) == decode_accepted(story.accepted(1))
    refused = msgspec.msgpack.decode(story.rejected(1))
    refused[1][0] += ["of a later version"]
    assert decode_rejected(msgspec.msgpack.encode(refused)) == decode_rejected(story.rejected(1))
    command = {"id": "cmd_1", "kind": "merge", "actor": "usr", "at": 1, "content": {"new": 1}}
    assert decode_command(json.dumps({**command, "new": 1}).encode()) == CommandRecord(**command)
    entry = decode_entry(
        json.dumps({"kind": "source", "id": "s", "version": 1, "at": 1, "new": 1, "data": {**story.SOURCE, "new": [1]}})
    )
    assert source_config(entry).write_key == "wk_recorded"
    segment = {**deepcopy(story.SEGMENT), "new": 1}
    assert segment_config(ConfigEntry(kind="segment", id="s", version=1, at=1, data=segment)).name == "Buyers"
    assert msgspec.convert({"total": 3, "new": {}}, State).total == 3


@pytest.mark.parametrize("kind", ["accepted", "rejected"])
def test_a_record_of_a_newer_version_is_refused_with_a_sentence(kind: str) -> None:
    record = msgspec.msgpack.decode(getattr(story, kind)(1))
    record[0] = VERSION + 1
    decode = decode_accepted if kind == "accepted" else decode_rejected
    with pytest.raises(RecordUnreadable, match="version 2 is newer than 1: upgrade the reader first"):
        decode(msgspec.msgpack.encode(record))


async def test_an_event_in_a_record_of_a_newer_version_is_kept_and_comes_back(tmp_path: Path) -> None:
    """As a dead letter; the version after the upgrade reads it. Here it is the reader that learns the version."""
    record = msgspec.msgpack.decode(story.accepted(1))
    record[0] = VERSION + 1
    value = msgspec.msgpack.encode(record)
    async with running(tmp_path) as processor:
        await processor.environment.log.append([NewRecord("leocdp.events.accepted.v1", 0, value)])
        await processor.counted(lambda counts: counts.dead_letters == 1)
        [letter] = (await processor.reader.problem_events(outcome="dead-lettered")).data
        assert letter.reason == "record_unreadable"
        kept = await processor.environment.store.dead_letters_to_replay([letter.id])
        assert list(kept.values()) == [value]


async def test_a_command_of_a_newer_version_is_refused_and_what_follows_is_applied(tmp_path: Path) -> None:
    """Who gave it is told, and gives it again after the upgrade."""
    async with running(tmp_path) as processor:
        await processor.send(track("m-1", userId="u-1"))
        later = CommandRecord(id="cmd_later", kind="of a later version", actor="usr", at=1, content={})
        await processor.environment.log.append([NewRecord(COMMANDS, 0, msgspec.json.encode(later))])
        outcome = await processor.command("label", "cmd_next", profile="prf_nobody", labels=[])
        assert (outcome.state, outcome.reason) == ("refused", "profile_not_found")
        told = await processor.reader.command("cmd_later")
        assert told is not None
        assert (told.state, told.reason) == ("refused", "unknown_command")
        assert (await processor.counted(lambda counts: counts.events == 1)).dead_letters == 0


async def test_a_source_of_a_newer_version_loses_no_event(tmp_path: Path) -> None:
    """Its key is not called wrong: clients keep what they have until the observer can read the source."""
    async with running_edge(tmp_path) as edge:
        log, view = edge.environment.log, edge.environment.view
        later: dict[str, Any] = {"id": "later", "name": "L", "kind": "of a later version", "write_key": "wk_later"}
        await publish_entry(log, ConfigEntry(kind="source", id="later", version=1, at=1, data=later))
        await until(lambda: view.unread_sources == {"later"})
        item = {"messageId": "m-1", "userId": "u-1", "event": "Seen", "type": "track"}
        answer = await edge.post("/v1/track", item, key="wk_later")
        assert (answer.status_code, answer.json()["code"]) == (503, "configuration_not_loaded")
        assert (await edge.post("/v1/track", item)).status_code == 200
        known = ConfigEntry(kind="source", id="later", version=2, at=2, data={**later, "kind": "browser"})
        await publish_entry(log, known)
        await until(lambda: not view.unread_sources)
        assert (await edge.post("/v1/track", item, key="wk_later")).status_code == 200
        assert (await edge.post("/v1/track", item, key="nobody")).status_code == 401


def test_a_signature_of_a_newer_form_is_refused_and_new_fields_are_passed_over() -> None:
    asked: dict[str, Any] = {"method": "GET", "path": "/", "query": "", "secret": b"s" * 32, "now": 1}
    header = sign(Principal(kind="ui"), body=None, **asked)
    assert verify(header, **asked)[0].kind == "ui"
    with pytest.raises(PrincipalRefused, match="answers only what the API gateway has signed"):
        verify(header.replace("v1.", "v2.", 1), **asked)
