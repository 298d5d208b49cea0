"""Decisions on top of the embedded store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.profile_identity import IdentityOnStoreContract
from tests.contract.test_profile_store_sqlite import SQLiteBackend


@pytest.fixture
def backend(tmp_path: Path) -> SQLiteBackend:
    return SQLiteBackend(tmp_path / "profiles.db")


class TestIdentityOnSQLite(IdentityOnStoreContract):
    pass
