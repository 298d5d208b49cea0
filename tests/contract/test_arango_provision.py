"""Databases and users are made from the settings; each user can do what its service does, and no more."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from arango.client import ArangoClient
from pydantic import SecretStr

from leocdp.adapters.engines import EngineUnknown, open_admin_store, open_profile_reader, open_profile_store
from leocdp.domain.decisions import Changes
from leocdp.kit.errors import LeoError
from leocdp_cli.databases import DatabaseSettings, create
from leocdp_cli.failure import CommandFailed, Unreachable
from leocdp_cli.stores import StoresSettings
from tests.contract.arango_backend import SERVERS
from tests.doubles.arangodb.double import running


@dataclass(frozen=True)
class Server:
    """An ArangoDB and names that nobody has there."""

    host: str
    root: tuple[str, str]
    name: str

    def settings(self, **changes: Any) -> DatabaseSettings:
        return DatabaseSettings(**{**self._fields(), "store_root_password": SecretStr(self.root[1]), **changes})

    def _fields(self) -> dict[str, Any]:
        return {
            "store_url": f"arangodb://{self.name}-processor@{self.host}/{self.name}",
            "store_password": SecretStr("of the processor"),
            "admin_url": f"arangodb://{self.name}-admin@{self.host}/{self.name}_admin",
            "admin_store_password": SecretStr("of admin"),
            "store_root_user": self.root[0],
        }

    def services(self, **changes: Any) -> StoresSettings:
        return StoresSettings(**{**self._fields(), **changes})


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    name = f"made_{uuid4().hex[:12]}"
    if request.param == "double":
        with running(password="root") as double:
            yield Server(double.url.removeprefix("http://"), ("root", "root"), name)
        return
    url = urlsplit(os.environ["LEOCDP_TEST_ARANGO"])
    made = Server(f"{url.hostname}:{url.port or 8529}", (url.username or "root", url.password or ""), name)
    yield made
    client = ArangoClient(hosts=f"http://{made.host}")
    system = client.db("_system", *made.root)
    for database in (name, f"{name}_admin"):
        system.delete_database(database, ignore_missing=True)
    for user in (f"{name}-processor", f"{name}-admin"):
        system.delete_user(user, ignore_missing=True)
    client.close()


async def test_services_work_with_what_was_made(server: Server) -> None:
    made = create(server.settings())
    assert [(each.kind, each.name.removeprefix(server.name), each.new) for each in made] == [
        ("database", "", True),
        ("database", "_admin", True),
        ("user", "-processor", True),
        ("user", "-admin", True),
    ]
    store = open_profile_store(server.services())
    await store.start()
    await store.commit(Changes(), [], 0)
    await store.close()
    admin = open_admin_store(server.services())
    await admin.start()
    await admin.close()
    as_admin = server.services(
        store_url=server.services().admin_url.removesuffix("_admin"), store_password=SecretStr("of admin")
    )
    reader = open_profile_reader(as_admin)
    await reader.start()
    assert (await reader.counts()).profiles == 0
    await reader.close()


async def test_users_can_do_no_more(server: Server) -> None:
    create(server.settings())
    services = server.services()
    processor_on_admin = services.model_copy(
        update={"admin_url": services.store_url + "_admin", "admin_store_password": services.store_password}
    )
    admin_on_profiles = services.model_copy(
        update={
            "store_url": services.admin_url.removesuffix("_admin"),
            "store_password": services.admin_store_password,
        }
    )
    for store in (open_admin_store(processor_on_admin), open_profile_store(admin_on_profiles)):
        with pytest.raises(LeoError):
            await store.start()
        await store.close()


def test_a_second_time_sets_passwords_again(server: Server) -> None:
    create(server.settings())
    again = create(server.settings(store_password=SecretStr("a new one")))
    assert not any(each.new for each in again)
    system = ArangoClient(hosts=f"http://{server.host}")
    assert system.db(server.name, f"{server.name}-processor", "a new one").collections() is not None
    system.close()


def test_one_user_for_both_is_enough(server: Server) -> None:
    url = f"arangodb://{server.name}-processor@{server.host}/{server.name}"
    made = create(server.settings(admin_url=url, admin_store_password=SecretStr("of the processor")))
    assert [each.kind for each in made] == ["database", "user"]
    with pytest.raises(CommandFailed, match="same user"):
        create(server.settings(admin_url=url))


def test_what_is_wrong_is_said(server: Server) -> None:
    with pytest.raises(CommandFailed, match="LEOCDP_STORE_ROOT_PASSWORD") as refused:
        create(server.settings(store_root_password=SecretStr("wrong")))
    assert refused.value.status == 1
    with pytest.raises(CommandFailed, match="LEOCDP_STORE_ROOT_PASSWORD"):
        create(server.settings(store_root_password=None))
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
        create(server.settings(store_url="arangodb://x@127.0.0.1:1/y", admin_url=""))
    with pytest.raises(CommandFailed, match="Neither"):
        create(server.settings(store_url="", admin_url=""))


async def test_the_command_waits_for_a_server_that_comes_later(tmp_path: Path) -> None:
    with running(password="root") as double:
        double.stop()
        host = double.url.removeprefix("http://")
        environment = {
            **os.environ,
            "LEOCDP_STORE_URL": f"arangodb://leocdp@{host}/leocdp",
            "LEOCDP_STORE_PASSWORD": "of the store",
            "LEOCDP_STORE_ROOT_PASSWORD": "root",
            "LEOCDP_DATA_DIR": str(tmp_path),
        }
        command = [sys.executable, "-m", "leocdp_cli", "create-database", "--wait", "60", "--json"]
        job = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert job.stderr is not None
        assert b"waiting" in await job.stderr.readline()
        double.start()
        printed, said = await job.communicate()
    assert job.returncode == 0, said
    assert [each["name"] for each in json.loads(printed)] == ["leocdp", "leocdp"]


def test_no_setting_names_an_arangodb() -> None:
    with pytest.raises(CommandFailed) as refused:
        create(DatabaseSettings(store_url="sqlite:///x", store_root_password=SecretStr("x")))
    assert isinstance(refused.value.__cause__, EngineUnknown)


async def test_new_cluster_gets_the_password_of_its_superuser() -> None:
    """It begins without one, and with one nobody gets in without it any more."""
    name = f"made_{uuid4().hex[:12]}"
    with running(password="") as double:
        server = Server(double.url.removeprefix("http://"), ("root", "a new one"), name)
        assert any(each.new for each in await asyncio.to_thread(create, server.settings()))
        assert not any(each.new for each in await asyncio.to_thread(create, server.settings()))
        with pytest.raises(CommandFailed, match="LEOCDP_STORE_ROOT_PASSWORD"):
            await asyncio.to_thread(create, server.settings(store_root_password=SecretStr("")))
