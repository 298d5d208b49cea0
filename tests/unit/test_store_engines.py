"""The profile store is chosen by URL, like the log."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from leocdp.adapters.engines import EngineUnknown, open_profile_reader, open_profile_store
from leocdp.domain.decisions import Changes
from leocdp.kit.settings import ServiceSettings, StoreSettings
from leocdp.ports.profile_store import StoreUnavailable


class Settings(ServiceSettings, StoreSettings):
    dedup_horizon_days: int = Field(default=30)


async def test_the_store_is_a_file_in_the_data_folder_by_default(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var")
    store, reader = open_profile_store(settings), open_profile_reader(settings)
    assert not (tmp_path / "var").exists(), "nothing happens before the start"
    await store.start()
    await reader.start()
    await store.commit(Changes(), [], 0)
    assert (await reader.counts()).profiles == 0
    await reader.close()
    await store.close()
    assert (tmp_path / "var" / "profiles.db").exists()


async def test_the_store_is_where_the_url_says(tmp_path: Path) -> None:
    store = open_profile_store(Settings(data_dir=tmp_path / "var", store_url=f"sqlite:///{tmp_path}/other.db"))
    await store.start()
    await store.close()
    assert {path.name for path in tmp_path.iterdir()} == {"other.db", "other.db.lock"}


async def test_a_folder_that_somebody_named_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="folder exists"):
        await open_profile_store(Settings(store_url=f"sqlite:///{tmp_path}/mount/profiles.db")).start()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("arangodb://leo@localhost:8529/leocdp", "LEOCDP_STORE_PASSWORD"),
        ("arangodb://leo:secret@localhost/leocdp", "no password"),
        ("arangodb://localhost:8529", "database"),
        ("arangodb://localhost:99999/leocdp", "host:port"),
        ("arangodb://@localhost/leocdp", "no user"),
        ("arangodb://localhost/7up", "7up"),
        ("redis://x", "sqlite:///path"),
        ("sqlite:///", "sqlite"),
    ],
)
def test_what_this_build_has_not_is_said(url: str, sentence: str) -> None:
    for opening in (open_profile_store, open_profile_reader):
        with pytest.raises(EngineUnknown, match=sentence) as refused:
            opening(Settings(store_url=url))
        assert "LEOCDP_STORE_URL" in str(refused.value)


def test_nothing_connects_before_the_start_of_an_arangodb_store() -> None:
    settings = Settings(store_url="arangodb://leo@127.0.0.1:1/leocdp", store_password=SecretStr("secret"))
    for opening in (open_profile_store, open_profile_reader):
        assert type(opening(settings)).__name__.startswith("Arango")


async def test_an_arangodb_that_is_not_there_is_unavailable_and_named() -> None:
    settings = Settings(store_url="arangodb://127.0.0.1:1/leocdp")
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/leocdp"):
        await open_profile_store(settings).start()


def test_the_settings_of_tls_are_checked(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    for wrong in ({"store_tls_ca_file": ca}, {"store_tls": True, "store_tls_ca_file": ca}):
        with pytest.raises(EngineUnknown, match="LEOCDP_STORE_TLS_CA_FILE"):
            open_profile_store(Settings(store_url="arangodb://127.0.0.1:1/leocdp", **wrong))
