from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.stack import Stack, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One running product for the tests of this folder that do not stop it."""
    with running_stack(tmp_path_factory.mktemp("running"), LEOCDP_GATEWAY_KEY_SECONDS="1") as running:
        yield running
