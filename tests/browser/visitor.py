"""Somebody with a browser: opens pages, clicks, and notices every error that the console shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Literal

from playwright.async_api import Browser, ConsoleMessage, Page, Response, expect

from tests.browser.stack import OWNER, PASSWORD, Stack
from tests.capabilities import AXE

Theme = Literal["light", "dark"]
WIDE, NARROW = 1280, 360
SETTLE_SECONDS = 5.0
PATIENCE = 45_000
"""Milliseconds. The browser's own five seconds are too short where several test runs share two cores."""
expect.set_options(timeout=PATIENCE)


@dataclass
class Visitor:
    page: Page
    stack: Stack
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(f"{self.page.url}: {error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{self.page.url}: {message.text}")

    async def open(self, path: str, *, status: int = 200) -> Response:
        """Open a page of ours; it answers with the status and shows no error in the console."""
        response = await self.page.goto(f"{self.stack.base}{path}")
        assert response is not None
        assert response.status == status, f"{path}: {response.status}\n{(await response.text())[:2000]}"
        return response

    async def log_in(self, email: str = OWNER, password: str = PASSWORD, language: str = "en") -> None:
        await self.open(f"/login?lang={language}")
        await self.page.fill("#field-email", email)
        await self.page.fill("#field-password", password)
        await self.page.click("main button[type=submit]")
        await self.page.wait_for_url(f"{self.stack.base}/")

    async def text(self) -> str:
        return await self.page.inner_text("main")

    async def resize(self, width: int) -> None:
        await self.page.set_viewport_size({"width": width, "height": 860})

    async def overflow(self) -> int:
        """By how many pixels the page is wider than the window, once its charts have taken up their new size."""
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        deadline = monotonic() + SETTLE_SECONDS
        while (wide := int(await self.page.evaluate(script))) > 0 and monotonic() < deadline:
            await asyncio.sleep(0.05)
        return wide

    async def serious_faults(self) -> list[str]:
        """What the accessibility checker finds serious or worse; evaluated past the policy, which forbids scripts."""
        await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = await self.page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice']})"
        )
        return [
            f"{fault['id']} ({fault['impact']}): {node['target']} {node['failureSummary']}"
            for fault in found["violations"]
            if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"]
        ]

    def forgive(self, *parts: str) -> None:
        """Errors that the test itself provoked, such as the browser's word on a page that answers 404."""
        self.errors = [error for error in self.errors if not any(part in error for part in parts)]


@asynccontextmanager
async def visiting(
    browser: Browser, stack: Stack, *, width: int = WIDE, theme: Theme = "light", locale: str = "en-GB"
) -> AsyncIterator[Visitor]:
    """A fresh browser profile; on leaving, nothing may have been said on the console."""
    context = await browser.new_context(viewport={"width": width, "height": 860}, color_scheme=theme, locale=locale)
    context.set_default_timeout(PATIENCE)
    visitor = Visitor(await context.new_page(), stack)
    try:
        yield visitor
        assert visitor.errors == []
    finally:
        await context.close()
