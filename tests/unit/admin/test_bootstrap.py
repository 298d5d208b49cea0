"""A fresh installation: what the settings create, and the link for the first owner."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from leocdp_admin.application.errors import Conflict, Unacceptable
from leocdp_admin.application.users import FIRST_OWNER_MS
from tests.unit.admin.stack import OWNER, Stack, admin

NOBODY = {"bootstrap_admin_email": "", "bootstrap_admin_password": None}


async def test_everything_is_created_once(tmp_path: Path) -> None:
    for _ in range(2):
        async with admin(tmp_path) as stack:
            api = stack.key()
            [source] = (await api.get("/api/v1/sources"))["data"]
            [key] = (await api.get("/api/v1/keys"))["data"]
            [user] = (await api.get("/api/v1/users"))["data"]
    assert (source["id"], source["name"], source["kind"], source["version"]) == (
        "quickstart",
        "quickstart",
        "server",
        1,
    )
    assert (source["write_key"], source["origins"]) == ("quickstart-write-key", ["*"])
    assert key["name"] == "bootstrap"
    assert (user["email"], user["role"], user["status"]) == (OWNER[0], "owner", "active")


async def test_what_was_changed_or_deleted_stays_so(tmp_path: Path) -> None:
    async with admin(tmp_path) as stack:
        answer = await stack.key()("PUT", "/api/v1/sources/quickstart", json={"name": "Renamed", "kind": "server"})
        assert answer.status_code == 200
    async with admin(tmp_path, bootstrap_write_key="another-write-key") as stack:
        [source] = (await stack.key().get("/api/v1/sources"))["data"]
        assert (source["name"], source["write_key"]) == ("Renamed", "quickstart-write-key")
        await stack.key()("DELETE", "/api/v1/sources/quickstart")
        [key] = (await stack.key().get("/api/v1/keys"))["data"]
        await stack.key()("DELETE", f"/api/v1/keys/{key['id']}")
    async with admin(tmp_path) as stack:
        assert (await stack.key().get("/api/v1/sources"))["data"] == []
        [key] = (await stack.key().get("/api/v1/keys"))["data"]
        assert key["state"] == "revoked"


async def test_values_that_cannot_work_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="LEOCDP_GATEWAY_SECRET"):
        async with admin(tmp_path, gateway_secret="short"):
            pass
    with pytest.raises(ValueError, match="go together"):
        async with admin(tmp_path, bootstrap_admin_password=None):
            pass
    with pytest.raises(ValueError, match="16 characters"):
        async with admin(tmp_path, bootstrap_api_key="short"):
            pass
    with pytest.raises(Unacceptable, match="password"):
        async with admin(tmp_path, bootstrap_admin_password="short"):
            pass


async def test_secrets_come_from_files_too(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("f" * 40 + "\n")
    (tmp_path / "key").write_text("key-from-a-file-1\n")
    settings = {"gateway_secret": None, "gateway_secret_file": tmp_path / "secret"}
    keys = {"bootstrap_api_key": None, "bootstrap_api_key_file": tmp_path / "key"}
    async with admin(tmp_path, **settings, **keys) as stack:
        assert stack.environment.secret == b"f" * 40
        assert await stack.environment.services.keys.authenticate("key-from-a-file-1") is not None


class TestFirstOwner:
    async def test_the_link_works_once_and_makes_an_owner(self, tmp_path: Path) -> None:
        file = tmp_path / "first-login"
        async with admin(tmp_path, login_link_file=file, public_url="https://cdp.example.vn/", **NOBODY) as stack:
            assert file.stat().st_mode & 0o777 == 0o600
            link = file.read_text().strip()
            assert link.startswith("https://cdp.example.vn/welcome?token=")
            users, token = stack.environment.services.users, link.partition("token=")[2]
            welcome = await users.welcome(token)
            assert welcome is not None
            assert welcome.kind == "first_owner"
            with pytest.raises(Unacceptable, match="password"):
                await users.accept(token, email="a@example.vn", password="short")
            with pytest.raises(Unacceptable, match="email"):
                await users.accept(token, email="", password="long enough")
            made = await users.accept(token, email="A@example.vn", name="An", password="long enough")
            assert (made.email, made.role) == ("a@example.vn", "owner")
            with pytest.raises(Conflict):
                await users.accept(token, email="b@example.vn", password="long enough")
            assert await users.first_owner_link() is None
        async with admin(tmp_path, login_link_file=file, **NOBODY):
            assert not file.exists()

    async def test_of_two_who_hurry_one_becomes_owner(self, tmp_path: Path) -> None:
        async with admin(tmp_path, **NOBODY) as stack:
            users = stack.environment.services.users
            token = str(await users.first_owner_link()).partition("token=")[2]
            calls = [users.accept(token, email=f"{name}@example.vn", password="long enough") for name in "abc"]
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert len([result for result in results if isinstance(result, Conflict)]) == 2

    async def test_it_ends_after_half_an_hour_and_with_the_next_one(self, tmp_path: Path) -> None:
        async with admin(tmp_path, **NOBODY) as stack:
            users = stack.environment.services.users
            first = str(await users.first_owner_link()).partition("token=")[2]
            second = str(await users.first_owner_link()).partition("token=")[2]
            assert await users.welcome(first) is None
            assert await users.welcome(second) is not None
            stack.clock.ahead = FIRST_OWNER_MS + 1_000
            assert await users.welcome(second) is None
            with pytest.raises(Conflict):
                await users.accept(second, email="a@example.vn", password="long enough")

    async def test_it_is_printed_only_where_it_was_asked_for(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async with admin(tmp_path, **NOBODY):
            pass
        assert "token=" not in capsys.readouterr().out
        async with admin(tmp_path, print_login_link=True, **NOBODY):
            pass
        assert "/welcome?token=" in capsys.readouterr().out


async def test_no_link_beside_an_owner(stack: Stack) -> None:
    assert await stack.environment.services.users.first_owner_link() is None
