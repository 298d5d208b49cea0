"""A running system with a small shop's data, and a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser.seed import define, sow
from tests.browser.stack import OWNER, PASSWORD, Stack, running_services
from tests.capabilities import browser_path

ERASURE_KEY = "browser-tests-erasure-key-0123456789abcdef"
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@dataclass(frozen=True)
class Shop:
    """A system that has seen a small shop for some days."""

    stack: Stack
    source: dict[str, Any]
    segment: str
    list: str


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], None]) -> Iterator[Shop]:
    need("browser")
    given = {
        "LEOCDP_BOOTSTRAP_ADMIN_EMAIL": OWNER,
        "LEOCDP_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
        "LEOCDP_ERASURE_KEY": ERASURE_KEY,
    }
    folder = tmp_path_factory.mktemp("shop")
    with running_services(folder, LEOCDP_TIME_ZONE="Asia/Ho_Chi_Minh", **given) as stack:
        yield Shop(stack, sow(stack), *define(stack))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser(need: Callable[[str], None]) -> AsyncIterator[Browser]:
    need("browser")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path(), args=list(ARGUMENTS))
        yield browser
        await browser.close()
