"""What admin's store holds of an office with two people: the same for every recording, with the same times."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from leocdp.ports.admin_store import (
    AdminStore,
    AuditEntry,
    AuditQuery,
    IssuedCommand,
    KeyRow,
    LinkRow,
    PrivacyRow,
    SessionRow,
    UserRow,
)
from tests.unit.upgrade.story import SEGMENT, SOURCE, plain

T0: Final = 1_790_000_000_000


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


SESSION: Final = _hash("session")
LINK: Final = _hash("link")
KEY: Final = _hash("key")
OWNER: Final = UserRow(
    id="usr_owner",
    email="owner@example.vn",
    name="Owner",
    role="owner",
    language="vi",
    password_hash="$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
    created_at=T0,
    last_login_at=T0 + 1,
)
VIEWER: Final = UserRow(id="usr_viewer", email="viewer@example.vn", name="Viewer", role="viewer", created_at=T0 + 2)


async def play(store: AdminStore) -> None:
    entry = AuditEntry(
        at=T0, actor="usr_owner", actor_name="Owner", action="user.add", target="usr_viewer", details={"role": "viewer"}
    )
    link = LinkRow(token_hash=LINK, kind="invitation", created_at=T0, expires_at=T0 * 2, user_id="usr_viewer")
    await store.add_user(OWNER)
    await store.add_user(VIEWER, link=link, audit=[entry])
    await store.add_session(
        SessionRow(
            token_hash=SESSION,
            user_id="usr_owner",
            created_at=T0,
            last_seen_at=T0 + 5,
            expires_at=T0 * 2,
            client="203.0.113.7",
            agent="Firefox",
        )
    )
    key = KeyRow(
        id="key_1",
        name="Shop",
        secret_hash=KEY,
        scopes=("profiles:read", "events:write"),
        created_at=T0,
        created_by="usr_owner",
        expires_at=T0 * 2,
    )
    await store.add_key(key)
    await store.mark_keys_used({"key_1": T0 + 7})
    await _configure(store)
    await store.add_command(IssuedCommand(id="cmd_1", kind="erase", actor="usr_owner", at=T0))
    await store.put_privacy_request(
        PrivacyRow(
            id="prv_1",
            kind="erasure",
            state="done",
            profile_id="prf_1",
            actor="usr_owner",
            created_at=T0,
            issued_at=T0,
            command_id="cmd_1",
            done_at=T0 + 9,
            receipt={"profiles": 1},
            ledger={"hashes": {"ab": [[0, T0]]}, "key": "0badc0de", "at": T0},
        )
    )


async def _configure(store: AdminStore) -> None:
    contents: Mapping[str, Mapping[str, Any]] = {"source": SOURCE, "segment": SEGMENT}
    for kind, data in contents.items():
        await store.put_entry(kind, str(data["id"]), data, now=T0)
    await store.mark_published([number for number, _ in await store.pending_entries(10)][:1])


async def meaning(store: AdminStore) -> dict[str, Any]:
    return {
        "users": plain(sorted(await store.users(), key=lambda one: one.id)),
        "session": plain(await store.session(SESSION)),
        "link": plain(await store.link(LINK)),
        "keys": plain(await store.keys()),
        "key": plain(await store.key_by_hash(KEY)),
        "entries": plain(sorted(await store.all_entries(), key=lambda one: one.key)),
        "pending": plain([entry for _, entry in await store.pending_entries(10)]),
        "command": plain(await store.command("cmd_1")),
        "privacy": plain(await store.privacy_request("prv_1")),
        "audit": plain(await store.audit(AuditQuery())),
    }
