"""Every setting is read from its documented variable."""

from __future__ import annotations

import importlib

import pytest
from pydantic_settings import BaseSettings

from tests.architecture.project import PACKAGES

MODULES = [f"{name}.settings" for name in PACKAGES if name not in ("leocdp", "leocdp_cli")]
MODULES += ["leocdp_cli.supervisor.settings", "leocdp_cli.connection", "leocdp_cli.stores", "leocdp_cli.databases"]


def classes(module: str) -> list[type[BaseSettings]]:
    found = vars(importlib.import_module(module)).values()
    return [
        each
        for each in found
        if isinstance(each, type) and issubclass(each, BaseSettings) and each.__module__ == module
    ]


@pytest.mark.parametrize("module", MODULES)
def test_one_frozen_class_with_the_prefix_and_a_meaning_for_every_field(module: str) -> None:
    (settings,) = classes(module)
    assert settings.model_config["env_prefix"] == "LEOCDP_"
    assert settings.model_config["frozen"]
    assert not [name for name, field in settings.model_fields.items() if not field.description]


@pytest.mark.parametrize("module", MODULES)
def test_data_folder_comes_from_its_variable(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (settings,) = classes(module)
    monkeypatch.setenv("LEOCDP_DATA_DIR", "/somewhere")
    monkeypatch.setenv("DATA_DIR", "/elsewhere")
    monkeypatch.setenv("LEOCDP_GATEWAY_SECRET", "a secret of more than thirty-two characters")
    assert str(settings().data_dir) == "/somewhere"  # type: ignore[attr-defined]
