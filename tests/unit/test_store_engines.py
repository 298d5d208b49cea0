"""The profile store is chosen by URL, like the log."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

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
    [("arangodb://root@localhost:8529/leocdp", "ArangoDB"), ("redis://x", "sqlite:///path"), ("sqlite:///", "sqlite")],
)
def test_what_this_build_has_not_is_said(url: str, sentence: str) -> None:
    for opening in (open_profile_store, open_profile_reader):
        with pytest.raises(EngineUnknown, match=sentence) as refused:
            opening(Settings(store_url=url))
        assert "LEOCDP_STORE_URL" in str(refused.value)
