"""Options and fixtures of the whole suite."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.capabilities import PROBES, give_up, missing, required
from tests.kafka import Kafka, kafka_for_tests

# Several test processes share the cores of a laptop or a runner, so no example is judged by its time.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require",
        default="",
        metavar="NAMES",
        help=f"Capabilities that must be here, comma-separated: {', '.join(PROBES)}. Missing: fail instead of skip.",
    )


def pytest_configure(config: pytest.Config) -> None:
    unknown = required(config) - PROBES.keys()
    if unknown:
        raise pytest.UsageError(f"--require knows {', '.join(PROBES)}; not {', '.join(sorted(unknown))}")


def _check(config: pytest.Config, capability: str) -> None:
    reason = missing(capability)
    if reason is not None:
        give_up(config, capability, reason)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for capability in mark.args:
            _check(item.config, capability)


@pytest.fixture(scope="session")
def need(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """``need("node")``: go on when it is here, else skip with the reason, or fail when ``--require`` names it."""
    return lambda capability: _check(request.config, capability)


@pytest.fixture(scope="session")
def kafka(need: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A real Kafka that all tests of a run share; each uses a namespace of its own."""
    with kafka_for_tests(need, tmp_path_factory.mktemp) as running:
        yield running
