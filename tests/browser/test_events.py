"""What is coming in, what there is, what went wrong."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Shop
from tests.browser.seed import item
from tests.browser.visitor import visiting

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.needs("browser"), pytest.mark.timeout(300)]


async def test_events_appear_by_themselves_and_can_be_paused(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open("/events?name=Newsletter+Opened")
        page = visitor.page
        await expect(page.locator("main")).to_contain_text("Nothing lately that fits the filter")
        await expect(page.locator("[data-live]")).to_have_attribute("data-state", "open")
        assert shop.stack.send(item("track", "live-1", 0, userId="reader-1", event="Newsletter Opened")) == 200
        row = page.locator(".live-list > li")
        await expect(row).to_have_count(1)
        await row.locator("summary").first.click()
        await expect(row).to_contain_text("live-1")
        await row.get_by_text("Raw JSON").click()
        await expect(row.locator("pre")).to_contain_text("Newsletter Opened")
        await page.get_by_role("button", name="Pause").click()
        assert shop.stack.send(item("track", "live-2", 0, userId="reader-1", event="Newsletter Opened")) == 200
        shop.stack.settle()
        await page.get_by_role("button", name="Go on").click()
        await expect(row).to_have_count(2)
        await row.first.locator("summary").first.click()
        await row.first.get_by_role("link", name="Show this person").click()
        await expect(page.locator("h1")).to_have_text("reader-1")


async def test_a_refused_event_is_shown_live_with_its_reason(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open("/events?outcome=rejected")
        page = visitor.page
        await expect(page.locator("[data-live]")).to_have_attribute("data-state", "open")
        before = await page.locator(".live-list > li").count()
        wrong = {"type": "track", "messageId": "live-bad", "userId": "crm-1"}
        assert shop.stack.send(wrong, item("track", "live-3", 0, userId="reader-1", event="Fine")) == 200
        await expect(page.locator(".live-list > li")).to_have_count(before + 1)
        newest = page.locator(".live-list > li").first
        await newest.locator("summary").first.click()
        await expect(newest).to_contain_text("The action has no name")


async def test_the_list_of_events_tells_what_they_carry(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open("/events/catalogue")
        row = visitor.page.locator("tr", has_text="Order Completed")
        await row.locator("summary").click()
        await expect(row).to_contain_text("Total")
        await expect(row).to_contain_text("number")
        await row.get_by_role("link", name="Order Completed").click()
        await expect(visitor.page.locator("details.event").first).to_contain_text("Order Completed")


async def test_failed_events_are_explained_and_tried_again(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open("/")
        page = visitor.page
        await page.locator("#pulse").get_by_role("link", name="failed events wait for you").click()
        await expect(page.locator("details.event")).to_have_count(2)
        failed = page.locator("details.event").first
        await failed.locator("summary").click()
        await expect(failed).to_contain_text("leocdp.events.accepted.v1")
        await expect(failed.locator("pre")).to_contain_text("torn-")
        await page.get_by_role("button", name="Try again", exact=True).click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("what works is counted once, never twice")
        await dialog.get_by_role("button", name="Try again").click()
        await expect(page.locator("#messages")).to_contain_text("on their way again")


async def test_refused_events_come_with_advice(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open("/events/quality?outcome=rejected")
        row = visitor.page.locator("details.event", has_text="The action has no name").first
        await row.locator("summary").click()
        await expect(row).to_contain_text("Give the track call a name")
        await expect(row.locator("pre")).to_contain_text('"messageId"')
        await visitor.page.get_by_role("link", name="The type of the event is unknown").click()
        await expect(visitor.page.locator("details.event", has_text="The action has no name")).to_have_count(0)


async def test_the_home_page_moves_by_itself(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        figure = visitor.page.locator("#pulse .figure").last
        before = int((await figure.inner_text()).replace(",", ""))
        assert shop.stack.send(item("track", "home-1", 0, userId="reader-1", event="Seen At Home")) == 200
        await expect(figure).to_have_text(f"{before + 1:,}", timeout=15_000)
        charts = visitor.page.locator("[data-chart] canvas")
        await expect(charts).to_have_count(3)
