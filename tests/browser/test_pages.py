"""Every page opens without an error, in both languages, both themes and on a phone, and can be used by everybody."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from playwright.async_api import Browser

from tests.browser.conftest import Shop
from tests.browser.visitor import NARROW, WIDE, Theme, Visitor, visiting

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.needs("browser"), pytest.mark.timeout(300)]

PAGES = (
    *("/", "/profiles", "/profiles?q=zzzzzz", "/profiles?status=anonymous&sort=name", "/reviews"),
    *("/reviews?state=rejected", "/events", "/events?outcome=rejected", "/events/catalogue", "/events/quality"),
    *("/events/quality?outcome=rejected", "/events/quality?outcome=filtered", "/sources", "/connect"),
    *("/settings/workspace", "/settings/users", "/settings/keys", "/settings/status", "/settings/audit"),
    *("/settings/scores", "/settings/identity", "/settings/consent"),
    *("/settings/account", "/segments", "/segments/new", "/segments/new?start=cart", "/segments/lists"),
    "/segments/details",
)


async def all_pages(visitor: Visitor, shop: Shop) -> list[str]:
    """Those above, and those of one person and one source."""
    await visitor.open("/profiles?q=Mai")
    person = await visitor.page.locator("#rows a.row-link").first.get_attribute("href")
    source = f"/sources/{shop.source['id']}"
    own = [f"{person}{part}" for part in ("", "/identity", "/scores", "/merge", "/merge?q=binh")]
    segment = f"/segments/{shop.segment}"
    why = f"{segment}/why/{str(person).removeprefix('/profiles/')}"
    own += [segment, f"{segment}/edit", why, f"/segments/lists/{shop.list}"]
    return [*PAGES, *own, source, f"{source}/connect", "/sources/quickstart/connect"]


@pytest.mark.parametrize("language", ["en", "vi"])
async def test_every_page_opens_without_an_error_and_fits_a_phone(browser: Browser, shop: Shop, language: str) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in(language=language)
        wide = {}
        for path in await all_pages(visitor, shop):
            await visitor.open(path)
            assert await visitor.page.get_attribute("html", "lang") == language
            assert visitor.errors == [], path
            await visitor.resize(NARROW)
            wide[path] = await visitor.overflow()
            await visitor.resize(WIDE)
        assert {path: by for path, by in wide.items() if by > 0} == {}


@pytest.mark.needs("axe")
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_nothing_serious_is_in_the_way_of_anybody(browser: Browser, shop: Shop, theme: Theme) -> None:
    async with visiting(browser, shop.stack, theme=theme) as visitor:
        await visitor.open("/login")
        faults = {"/login": await visitor.serious_faults()}
        await visitor.log_in()
        for path in await all_pages(visitor, shop):
            await visitor.open(path)
            faults[path] = await visitor.serious_faults()
        assert {path: found for path, found in faults.items() if found} == {}


@pytest.mark.needs("axe")
async def test_dialogs_and_unfolded_events_can_be_used_by_everybody(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open("/settings/users")
        await visitor.page.get_by_role("button", name="Invite").click()
        faults = await visitor.serious_faults()
        await visitor.open("/events")
        await visitor.page.locator("details.event > summary").first.click()
        assert faults + await visitor.serious_faults() == []


def kind_of(path: str) -> str:
    """Pages that differ in a person, a source or a filter are of one kind."""
    return re.sub(r"(prf|src|sgm|lst|ctr)_\w+", "…", path.partition("?")[0])


async def test_whatever_a_link_leads_to_exists(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        visits: Counter[str] = Counter()
        seen: set[str] = set()
        todo = ["/"]
        while todo:
            path = todo.pop()
            if path in seen or visits[kind_of(path)] == 4:
                continue
            seen.add(path)
            visits[kind_of(path)] += 1
            await visitor.open(path)
            todo += await visitor.page.eval_on_selector_all(
                "a[href^='/']:not([download])", "found => found.map(link => link.getAttribute('href'))"
            )
        assert len(visits) >= 15


async def test_an_address_that_does_not_exist_shows_the_way_on(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        for path in ("/nothing", "/profiles/prf_0000000000000000000000000000", "/sources/src_none"):
            await visitor.open(path, status=404)
            assert "We could not find this" in await visitor.text()
            await visitor.page.locator("main .empty a").first.click()
        visitor.forgive("404")


async def test_keyboard_reaches_the_content_and_the_search(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open("/events/catalogue")
        await visitor.page.keyboard.press("Tab")
        assert await visitor.page.evaluate("document.activeElement.className") == "skip-link"
        await visitor.page.keyboard.press("Enter")
        assert await visitor.page.evaluate("document.activeElement.id") == "content"


async def test_the_chosen_theme_is_remembered(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.page.locator(".topbar [data-action=theme]").click()
        await visitor.open("/profiles")
        assert await visitor.page.get_attribute("html", "data-bs-theme") == "dark"


async def test_the_language_is_remembered_with_the_account(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in(language="vi")
        await visitor.open("/profiles")
        assert "Chỉ ẩn danh" in await visitor.text()
        await visitor.open("/profiles?lang=en")
    async with visiting(browser, shop.stack, locale="vi-VN") as visitor:
        await visitor.open("/login")
        assert await visitor.page.get_attribute("html", "lang") == "vi"
