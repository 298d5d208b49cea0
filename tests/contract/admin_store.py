"""The contract of :class:`leocdp.ports.admin_store.AdminStore`, subclassed per adapter with a fixture ``store``."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from leocdp.contracts.config_entries import ConfigEntry
from leocdp.ports.admin_store import (
    AdminStore,
    AlreadyExists,
    AuditEntry,
    AuditQuery,
    IssuedCommand,
    KeyRow,
    LastOwner,
    LinkRefused,
    LinkRow,
    PrivacyRow,
    SessionRow,
    Unknown,
    UserRow,
    VersionMismatch,
)

T0 = 1_790_000_000_000
MINUTE = 60_000
DAY = 24 * 60 * MINUTE


def user(number: int = 1, **fields: Any) -> UserRow:
    given: dict[str, Any] = {
        "id": f"usr_{number}",
        "email": f"u{number}@example.vn",
        "name": f"User {number}",
        "role": "owner",
        "password_hash": "hash",
        "created_at": T0 + number,
    }
    return UserRow(**{**given, **fields})


def session(name: str, user_id: str = "usr_1", **fields: Any) -> SessionRow:
    given = {"created_at": T0, "last_seen_at": T0, "expires_at": T0 + DAY}
    return SessionRow(token_hash=name, user_id=user_id, **{**given, **fields})


def link(name: str, kind: Any = "invitation", user_id: str = "usr_1", **fields: Any) -> LinkRow:
    given = {"created_at": T0, "expires_at": T0 + DAY}
    return LinkRow(token_hash=name, kind=kind, user_id=user_id, **{**given, **fields})


def key(name: str, **fields: Any) -> KeyRow:
    given: dict[str, Any] = {"scopes": ("profiles:read", "admin"), "created_at": T0, "created_by": "usr_1"}
    return KeyRow(id=name, name=f"Key {name}", secret_hash=f"hash of {name}", **{**given, **fields})


def entry(action: str, target: str = "", at: int = T0, **fields: Any) -> AuditEntry:
    given: dict[str, Any] = {"actor": "usr_1", "actor_name": "User 1"}
    return AuditEntry(at=at, action=action, target=target, **{**given, **fields})


async def actions(store: AdminStore, **query: Any) -> list[str]:
    return [found.entry.action for found in await store.audit(AuditQuery(**query))]


class UsersContract:
    async def test_a_user_is_found_by_id_and_by_email(self, store: AdminStore) -> None:
        await store.add_user(user())
        assert await store.user("usr_1") == user()
        assert await store.user_by_email("u1@example.vn") == user()
        assert await store.user_by_email("u2@example.vn") is None
        assert await store.users() == [user()]

    async def test_an_email_belongs_to_one(self, store: AdminStore) -> None:
        await store.add_user(user(1))
        with pytest.raises(AlreadyExists) as refused:
            await store.add_user(user(2, email="u1@example.vn"), link=link("l", user_id="usr_2"))
        assert refused.value.field == "email"
        assert await store.link("l") is None

    async def test_a_change_expects_the_version_that_was_read(self, store: AdminStore) -> None:
        await store.add_user(user())
        saved = await store.save_user(user(name="Lan"))
        assert (saved.name, saved.version) == ("Lan", 2)
        assert await store.user("usr_1") == saved
        with pytest.raises(VersionMismatch) as refused:
            await store.save_user(user(name="Hoa"))
        assert refused.value.current == 2
        with pytest.raises(Unknown):
            await store.save_user(user(9))

    async def test_a_refused_change_writes_nothing_not_even_its_audit(self, store: AdminStore) -> None:
        await store.add_user(user())
        with pytest.raises(VersionMismatch):
            await store.save_user(user(version=7), audit=[entry("user.update")])
        assert await actions(store) == []

    async def test_somebody_can_always_administer(self, store: AdminStore) -> None:
        await store.add_user(user(1))
        await store.add_user(user(2, password_hash=""))
        for change in ({"role": "viewer"}, {"status": "disabled"}, {"password_hash": ""}):
            with pytest.raises(LastOwner):
                await store.save_user(user(1, **change))
        with pytest.raises(LastOwner):
            await store.delete_user("usr_1")
        assert await store.user("usr_1") == user(1)
        await store.add_user(user(3))
        await store.delete_user("usr_1")
        assert await store.user("usr_1") is None
        with pytest.raises(Unknown):
            await store.delete_user("usr_1")

    async def test_an_owner_is_somebody_who_can_log_in(self, store: AdminStore) -> None:
        assert not await store.has_owner()
        await store.add_user(user(1, password_hash=""))
        await store.add_user(user(2, status="disabled"))
        await store.add_user(user(3, role="marketer"))
        assert not await store.has_owner()
        await store.add_user(user(4))
        assert await store.has_owner()

    async def test_deleting_ends_sessions_and_links(self, store: AdminStore) -> None:
        await store.add_user(user(1))
        await store.add_user(user(2, role="viewer"), link=link("l", user_id="usr_2"))
        await store.add_session(session("s", "usr_2"))
        await store.delete_user("usr_2")
        assert await store.session("s") is None
        assert await store.link("l") is None


class LinksContract:
    async def test_the_first_owner_comes_once(self, store: AdminStore) -> None:
        await store.add_link(link("l", "first_owner", ""))
        await store.redeem_first_owner("l", user(1), now=T0 + 1)
        with pytest.raises(LinkRefused):
            await store.redeem_first_owner("l", user(2), now=T0 + 2)
        assert [found.id for found in await store.users()] == ["usr_1"]

    async def test_of_two_at_the_same_time_one_becomes_owner(self, store: AdminStore) -> None:
        await store.add_link(link("l", "first_owner", ""))
        calls = [store.redeem_first_owner("l", user(number), now=T0) for number in (1, 2, 3)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(result) for result in results if result] == [LinkRefused, LinkRefused]
        assert len(await store.users()) == 1

    async def test_no_first_owner_beside_an_owner(self, store: AdminStore) -> None:
        await store.add_user(user(1))
        await store.add_link(link("l", "first_owner", ""))
        with pytest.raises(LinkRefused):
            await store.redeem_first_owner("l", user(2), now=T0)

    async def test_a_link_ends_with_its_time(self, store: AdminStore) -> None:
        await store.add_link(link("l", "first_owner", "", expires_at=T0 + 5))
        with pytest.raises(LinkRefused):
            await store.redeem_first_owner("l", user(1), now=T0 + 5)

    async def test_an_invitation_sets_the_password_once_and_ends_sessions(self, store: AdminStore) -> None:
        await store.add_user(user(1, password_hash=""), link=link("l"))
        await store.add_session(session("s"))
        saved = await store.redeem_password("l", "new hash", now=T0)
        assert saved.password_hash == "new hash"
        assert await store.session("s") is None
        with pytest.raises(LinkRefused):
            await store.redeem_password("l", "another", now=T0)
        assert (await store.user("usr_1")) == saved

    async def test_kinds_of_links_are_not_exchangeable(self, store: AdminStore) -> None:
        await store.add_user(user(1, password_hash=""), link=link("l"))
        await store.add_link(link("first", "first_owner", ""))
        with pytest.raises(LinkRefused):
            await store.redeem_first_owner("l", user(2), now=T0)
        with pytest.raises(LinkRefused):
            await store.redeem_password("first", "hash", now=T0)

    async def test_a_new_link_replaces_the_unused_one(self, store: AdminStore) -> None:
        await store.add_user(user(1, password_hash=""), link=link("old"))
        await store.add_link(link("new"))
        with pytest.raises(LinkRefused):
            await store.redeem_password("old", "hash", now=T0)
        await store.redeem_password("new", "hash", now=T0)

    async def test_a_disabled_person_cannot_use_a_link(self, store: AdminStore) -> None:
        await store.add_user(user(1, status="disabled"), link=link("l"))
        with pytest.raises(LinkRefused):
            await store.redeem_password("l", "hash", now=T0)


class SessionsContract:
    async def test_a_session_comes_with_its_user(self, store: AdminStore) -> None:
        await store.add_user(user())
        await store.add_session(session("s", client="10.0.0.1", agent="Browser"))
        found = await store.session("s")
        assert found is not None
        assert found[0] == session("s", client="10.0.0.1", agent="Browser")
        assert found[1].last_login_at == T0
        assert await store.session("t") is None

    async def test_time_only_goes_forward(self, store: AdminStore) -> None:
        await store.add_user(user())
        await store.add_session(session("s"))
        await store.touch_session("s", T0 + 10)
        await store.touch_session("s", T0 + 5)
        found = await store.session("s")
        assert found is not None
        assert found[0].last_seen_at == T0 + 10

    async def test_sessions_end_one_by_one_or_all_but_one(self, store: AdminStore) -> None:
        await store.add_user(user(1))
        await store.add_user(user(2))
        for name in ("a", "b", "c"):
            await store.add_session(session(name))
        await store.add_session(session("other", "usr_2"))
        await store.end_session("a")
        await store.end_session("a")
        assert await store.end_sessions("usr_1", except_="b") == 1
        left = [name for name in ("a", "b", "c", "other") if await store.session(name)]
        assert left == ["b", "other"]

    async def test_attempts_are_counted_before_they_are_tried(self, store: AdminStore) -> None:
        async def attempt(at: int = T0) -> int | None:
            return await store.begin_attempt("account", now=at, since=at - 15 * MINUTE, limit=3)

        numbers = await asyncio.gather(*(attempt() for _ in range(5)))
        assert len([number for number in numbers if number is not None]) == 3
        assert await store.begin_attempt("another", now=T0, since=T0 - MINUTE, limit=3) is not None
        good = next(number for number in numbers if number is not None)
        await store.attempt_succeeded(good)
        assert await attempt() is not None
        assert await attempt() is None
        assert await attempt(T0 + 15 * MINUTE) is not None


class KeysContract:
    async def test_a_key_is_found_by_its_hash(self, store: AdminStore) -> None:
        await store.add_key(key("a", expires_at=T0 + DAY))
        assert await store.key_by_hash("hash of a") == key("a", expires_at=T0 + DAY)
        assert await store.key("a") == key("a", expires_at=T0 + DAY)
        assert await store.key_by_hash("hash of b") is None
        with pytest.raises(AlreadyExists):
            await store.add_key(replace(key("b"), secret_hash="hash of a"))

    async def test_newest_first(self, store: AdminStore) -> None:
        await store.add_key(key("a"))
        await store.add_key(key("b", created_at=T0 + 1))
        assert [found.id for found in await store.keys()] == ["b", "a"]

    async def test_revoking_stays_as_it_was_first(self, store: AdminStore) -> None:
        await store.add_key(key("a"))
        await store.revoke_key("a", now=T0 + 1)
        await store.revoke_key("a", now=T0 + 2)
        found = await store.key("a")
        assert found is not None
        assert found.revoked_at == T0 + 1
        with pytest.raises(Unknown):
            await store.revoke_key("b", now=T0)

    async def test_last_use_never_goes_back(self, store: AdminStore) -> None:
        await store.add_key(key("a"))
        await store.mark_keys_used({"a": T0 + 5, "unknown": T0})
        await store.mark_keys_used({"a": T0 + 1})
        found = await store.key("a")
        assert found is not None
        assert found.last_used_at == T0 + 5


class ConfigurationContract:
    async def test_versions_rise_per_key(self, store: AdminStore) -> None:
        first = await store.put_entry("source", "a", {"name": "A"}, now=T0)
        second = await store.put_entry("source", "a", {"name": "A2"}, now=T0 + 1)
        other = await store.put_entry("source", "b", {"name": "B"}, now=T0)
        assert (first.version, second.version, other.version) == (1, 2, 1)
        assert await store.entry("source", "a") == second
        assert await store.entries("source") == [second, other]
        assert await store.entries("workspace") == []

    async def test_an_expected_version_guards(self, store: AdminStore) -> None:
        await store.put_entry("source", "a", {"n": 1}, now=T0, expected=0)
        with pytest.raises(VersionMismatch) as refused:
            await store.put_entry("source", "a", {"n": 2}, now=T0, expected=0)
        assert refused.value.current == 1
        await store.put_entry("source", "a", {"n": 2}, now=T0, expected=1)
        with pytest.raises(VersionMismatch):
            await store.put_entry("source", "a", {"n": 3}, now=T0, expected=1)

    async def test_of_writers_side_by_side_one_wins(self, store: AdminStore) -> None:
        await store.put_entry("source", "a", {"n": 0}, now=T0)
        calls = [store.put_entry("source", "a", {"n": n}, now=T0, expected=1) for n in range(5)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert len([result for result in results if isinstance(result, ConfigEntry)]) == 1
        found = await store.entry("source", "a")
        assert found is not None
        assert found.version == 2

    async def test_a_deleted_entry_is_gone_but_its_versions_go_on(self, store: AdminStore) -> None:
        await store.put_entry("source", "a", {"n": 1}, now=T0)
        gone = await store.put_entry("source", "a", {"n": 1}, now=T0, deleted=True)
        assert (gone.version, gone.deleted) == (2, True)
        assert await store.entry("source", "a") is None
        assert await store.entries("source") == []
        assert await store.all_entries() == [gone]
        with pytest.raises(Unknown):
            await store.put_entry("source", "a", {}, now=T0, deleted=True)
        again = await store.put_entry("source", "a", {"n": 2}, now=T0, expected=0)
        assert again.version == 3

    async def test_a_unique_field(self, store: AdminStore) -> None:
        await store.put_entry("source", "a", {"name": "Shop"}, now=T0, unique="name")
        await store.put_entry("source", "a", {"name": "Shop"}, now=T0, unique="name")
        await store.put_entry("list", "b", {"name": "Shop"}, now=T0, unique="name")
        with pytest.raises(AlreadyExists) as refused:
            await store.put_entry("source", "b", {"name": "Shop"}, now=T0, unique="name")
        assert refused.value.field == "name"
        await store.put_entry("source", "a", {"name": "Shop"}, now=T0, deleted=True)
        await store.put_entry("source", "b", {"name": "Shop"}, now=T0, unique="name")

    async def test_each_change_is_queued_and_the_newest_goes_out(self, store: AdminStore) -> None:
        await store.put_entry("source", "a", {"n": 1}, now=T0)
        [(number, _)] = await store.pending_entries(10)
        newer = await store.put_entry("source", "a", {"n": 2}, now=T0)
        await store.mark_published([number])
        [(_, pending)] = await store.pending_entries(10)
        assert pending == newer
        await store.put_entry("source", "b", {"n": 1}, now=T0)
        assert len(await store.pending_entries(1)) == 1

    async def test_a_refused_change_is_not_queued(self, store: AdminStore) -> None:
        with pytest.raises(VersionMismatch):
            await store.put_entry("source", "a", {}, now=T0, expected=4, audit=[entry("source.update")])
        assert await store.pending_entries(10) == []
        assert await actions(store) == []

    async def test_what_the_log_has_can_be_taken_over(self, store: AdminStore) -> None:
        there = ConfigEntry(kind="source", id="a", version=7, at=T0, data={"n": 7})
        await store.recover_entry(there)
        assert await store.entry("source", "a") == there
        assert await store.pending_entries(10) == []
        assert (await store.put_entry("source", "a", {}, now=T0)).version == 8

    async def test_publishing_again_passes_the_version_of_the_log(self, store: AdminStore) -> None:
        await store.put_entry("source", "a", {"n": 1}, now=T0)
        await store.put_entry("source", "b", {"n": 1}, now=T0)
        await store.mark_published([number for number, _ in await store.pending_entries(10)])
        await store.republish({"source:a": 5, "source:b": 0}, now=T0 + 9)
        pending = {found.id: (found.version, found.data) for _, found in await store.pending_entries(10)}
        assert pending == {"a": (6, {"n": 1}), "b": (1, {"n": 1})}


class RecordsContract:
    async def test_commands_that_were_issued(self, store: AdminStore) -> None:
        command = IssuedCommand(id="cmd_1", kind="merge", actor="usr_1", at=T0)
        await store.add_command(command, audit=[entry("profile.merge", "prf_1")])
        assert await store.command("cmd_1") == command
        await store.forget_command("cmd_1")
        assert await store.command("cmd_1") is None
        assert await actions(store) == ["profile.merge"]

    async def test_the_audit_log_is_read_newest_first_and_in_parts(self, store: AdminStore) -> None:
        await store.record([entry(f"profile.read{number}", at=T0 + number) for number in range(5)])
        assert await actions(store, limit=2) == ["profile.read4", "profile.read3"]
        found = await store.audit(AuditQuery(limit=2))
        assert await actions(store, limit=2, before=found[-1].sequence) == ["profile.read2", "profile.read1"]

    async def test_the_audit_log_is_filtered(self, store: AdminStore) -> None:
        await store.record(
            [
                entry("profile.read", "prf_1"),
                entry("profile.merge", "prf_2", T0 + 1, actor="key:k", details={"command_id": "cmd_1"}),
                entry("profiles", "prf_2", T0 + 2),
            ]
        )
        assert await actions(store, action="profile.") == ["profile.merge", "profile.read"]
        assert await actions(store, action="profile.read") == ["profile.read"]
        assert await actions(store, target="prf_2") == ["profiles", "profile.merge"]
        assert await actions(store, actor="key:k") == ["profile.merge"]
        assert await actions(store, from_=T0 + 1, to=T0 + 2) == ["profile.merge"]
        [found] = await store.audit(AuditQuery(actor="key:k"))
        assert found.entry.details == {"command_id": "cmd_1"}

    async def test_tidying_takes_what_is_over(self, store: AdminStore) -> None:
        await store.add_user(user())
        await store.add_session(session("over", expires_at=T0 + 1))
        await store.add_session(session("good"))
        await store.add_command(IssuedCommand(id="old", kind="merge", actor="usr_1", at=T0 - 31 * DAY))
        await store.add_command(IssuedCommand(id="new", kind="merge", actor="usr_1", at=T0))
        await store.record([entry("old", at=T0 - 500 * DAY), entry("new")])
        await store.tidy(now=T0 + 2, audit_before=T0 - 400 * DAY)
        assert [name for name in ("over", "good") if await store.session(name)] == ["good"]
        assert [name for name in ("old", "new") if await store.command(name)] == ["new"]
        assert await actions(store) == ["new"]


def privacy(number: int, kind: Any = "erasure", **fields: Any) -> PrivacyRow:
    given: dict[str, Any] = {"state": "pending", "profile_id": f"prf_{number}", "actor": "usr_1"}
    at = T0 + number
    return PrivacyRow(id=f"prv_{number}", kind=kind, created_at=at, issued_at=at, **{**given, **fields})


class PrivacyContract:
    async def test_a_privacy_request_is_kept_and_replaced_whole(self, store: AdminStore) -> None:
        ledger = {"hashes": {"ab": [[0, T0], [T0 + 5, T0 + 9]]}, "key": "k", "at": T0}
        asked = privacy(1, ledger=ledger, command_id="cmd_1")
        await store.put_privacy_request(asked, audit=[entry("privacy.erasure", "prf_1")])
        assert await store.privacy_request("prv_1") == asked
        assert await actions(store) == ["privacy.erasure"]
        done = replace(asked, state="done", done_at=T0 + 9, receipt={"events": 3, "name": "á"}, command_id="cmd_2")
        await store.put_privacy_request(done)
        assert await store.privacy_request("prv_1") == done
        assert await store.privacy_requests() == [done]
        assert await store.privacy_request("prv_2") is None

    async def test_privacy_requests_are_listed_newest_first_page_by_page(self, store: AdminStore) -> None:
        asked = [privacy(number, "access" if number == 3 else "erasure") for number in range(1, 6)]
        asked.append(replace(asked[4], id="prv_6"))
        for one in asked:
            await store.put_privacy_request(one)
        newest = asked[::-1]
        assert await store.privacy_requests(limit=2) == newest[:2]
        place = (newest[1].created_at, newest[1].id)
        assert await store.privacy_requests(limit=3, before=place) == newest[2:5]
        assert await store.privacy_requests(kind="access") == [asked[2]]
        erasures = [one for one in newest if one.kind == "erasure"]
        assert await store.privacy_requests(kind="erasure") == erasures

    async def test_tidying_leaves_privacy_requests(self, store: AdminStore) -> None:
        await store.put_privacy_request(privacy(1))
        await store.tidy(now=T0 + 5_000 * DAY, audit_before=T0 + 5_000 * DAY)
        assert await store.privacy_request("prv_1") == privacy(1)


class AdminStoreContract(
    UsersContract,
    LinksContract,
    SessionsContract,
    KeysContract,
    ConfigurationContract,
    RecordsContract,
    PrivacyContract,
):
    """All of it."""
