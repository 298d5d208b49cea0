"""Suites that live outside ``test_*`` files explain their failures too."""

import pytest

pytest.register_assert_rewrite(
    "tests.contract.admin_store",
    "tests.contract.event_log",
    "tests.contract.event_log_harness",
    "tests.contract.event_log_reading",
    "tests.contract.ordered_reading",
    "tests.contract.profile_effects",
    "tests.contract.profile_erasure",
    "tests.contract.profile_events",
    "tests.contract.profile_lists",
    "tests.contract.profile_reader",
    "tests.contract.profile_store",
)
