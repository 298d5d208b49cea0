"""Engines are chosen by URL, with a sentence for what this build has not."""

from __future__ import annotations

from pathlib import Path

import pytest

from leocdp.adapters.engines import EngineUnknown, open_event_log
from leocdp.kit.settings import LogSettings, ServiceSettings
from leocdp.ports.event_log import LogUnavailable


class Settings(ServiceSettings, LogSettings):
    pass


async def test_the_log_is_a_file_in_the_data_folder_by_default(tmp_path: Path) -> None:
    log = open_event_log(Settings(data_dir=tmp_path / "var"))
    assert not (tmp_path / "var").exists(), "nothing happens before the start"
    await log.start()
    await log.close()
    assert (tmp_path / "var" / "log.db").exists()


async def test_the_log_is_where_the_url_says(tmp_path: Path) -> None:
    log = open_event_log(Settings(data_dir=tmp_path / "var", log_url=f"sqlite:///{tmp_path}/other.db"))
    await log.start()
    await log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["other.db"]


async def test_a_folder_that_somebody_named_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable, match="does not exist"):
        await open_event_log(Settings(log_url=f"sqlite:///{tmp_path}/mount/log.db")).start()


async def test_topics_are_only_made_where_that_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable, match="LEOCDP_LOG_CREATE_TOPICS"):
        await open_event_log(Settings(data_dir=tmp_path, log_create_topics=False)).start()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [("kafka://a/b/c", "namespace"), ("redis://x", "sqlite:///path"), ("sqlite:///", "sqlite")],
)
def test_what_this_build_has_not_is_said(url: str, sentence: str) -> None:
    with pytest.raises(EngineUnknown, match=sentence) as refused:
        open_event_log(Settings(log_url=url))
    assert "LEOCDP_LOG_URL" in str(refused.value)
    assert isinstance(refused.value, ValueError)
