"""The status page: it says what is, in both languages and on a phone, and keeps itself up to date."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Shop
from tests.browser.visitor import NARROW, WIDE, Theme, visiting

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.needs("browser"), pytest.mark.timeout(300)]
PATIENCE = 60_000


async def test_what_is_refused_shows_without_a_reload_and_leads_to_its_reason(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        page = visitor.page
        await visitor.open("/settings/status")
        await expect(page.locator("#check-observers")).to_have_attribute("data-state", "ok", timeout=PATIENCE)
        await expect(page.locator("#check-processors")).to_contain_text("Processors at work: 1.", timeout=PATIENCE)
        await expect(page.locator("#area-collecting table")).to_contain_text(shop.source["name"])
        await expect(page.locator(".chart canvas")).to_be_visible()
        opened = await page.evaluate("performance.timeOrigin")
        shop.stack.send({"type": "track", "event": "From nobody"})
        refused = page.locator("#check-refused")
        await expect(refused).to_contain_text("Refused in the last quarter of an hour", timeout=PATIENCE)
        assert await page.evaluate("performance.timeOrigin") == opened
        await refused.get_by_role("link").click()
        await expect(page.locator("main")).to_contain_text("From nobody")


@pytest.mark.parametrize(
    ("width", "theme", "language", "title"),
    [(WIDE, "dark", "en", "Waiting events"), (NARROW, "light", "vi", "Sự kiện đang chờ")],
)
async def test_for_everybody(browser: Browser, shop: Shop, width: int, theme: Theme, language: str, title: str) -> None:
    async with visiting(browser, shop.stack, width=width, theme=theme) as visitor:
        await visitor.log_in(language=language)
        await visitor.open(f"/settings/status?lang={language}")
        await expect(visitor.page.locator("#check-lag")).to_contain_text(title)
        states = await visitor.page.locator(".status-badge").all_inner_texts()
        assert all(state.strip() for state in states), "a state is words, not only a colour"
        assert await visitor.overflow() == 0
        assert await visitor.serious_faults() == []
