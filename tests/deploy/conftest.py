"""What the tests of deployment share."""

from __future__ import annotations

import pytest

from tests.architecture.project import ROOT
from tests.deploy.dockerfile import Dockerfile, parse


@pytest.fixture(scope="session")
def dockerfile() -> Dockerfile:
    return parse((ROOT / "deploy/images/Dockerfile").read_text(encoding="utf-8"))
