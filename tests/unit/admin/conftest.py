"""Stacks for the tests of the admin service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.admin.people import People, people_in
from tests.unit.admin.stack import Stack, admin


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    """An admin alone: no processor, no profile store."""
    async with admin(tmp_path, admin_command_seconds=0.1) as running:
        yield running


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[People]:
    """An admin beside a processor, with a few people in it."""
    async with people_in(tmp_path) as running:
        yield running
