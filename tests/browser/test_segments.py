"""A marketer describes a group of people, sees how many they are, and why somebody is in."""

from __future__ import annotations

import json
import re

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Shop
from tests.browser.visitor import visiting

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.needs("browser"), pytest.mark.timeout(300)]


async def test_from_a_description_to_the_people_and_why(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        page = visitor.page
        await visitor.log_in()
        await visitor.open("/segments")
        await page.get_by_role("link", name="New segment").click()
        preview = page.locator("#preview")
        await expect(preview).to_contain_text("Order Completed")
        await page.fill("#field-name", "Known people")
        await page.fill("#field-condition", '{"status": "nobody"}')
        await expect(preview).to_contain_text("This cannot be understood yet")
        await page.fill("#field-condition", '{"status": ')
        await expect(preview).to_contain_text("is no JSON")
        await page.fill("#field-condition", json.dumps({"status": "identified"}))
        await expect(preview).to_contain_text(re.compile(r"of \d+ people"))
        count = int((await preview.locator("p.h1").inner_text()).strip())
        assert count > 0
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("h1")).to_have_text("Known people")
        await expect(page.locator("#progress[hx-get]")).to_have_count(0, timeout=30_000)
        await page.reload()
        await expect(page.locator("main")).to_contain_text("Working")
        members = page.locator("#rows tr")
        await expect(members).to_have_count(min(count, 25))
        await members.first.get_by_role("link").last.click()
        await expect(page.locator("h1")).to_contain_text(re.compile("^Why .* is in$"))
        await expect(page.locator("main")).to_contain_text("Member since")
        await page.locator(".page-pretitle a").first.click()
        await expect(page.locator("#segments-title + dl")).to_contain_text("Known people")
        assert visitor.errors == []


async def test_what_cannot_be_saved_stays_in_the_editor_with_its_place(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        page = visitor.page
        await visitor.log_in(language="vi")
        await visitor.open("/segments/new")
        await page.fill("#field-name", "Sai")
        await page.fill("#field-condition", '{"trait": "age", "is": "gte", "value": "old"}')
        await page.get_by_role("button", name="Lưu").click()
        await expect(page.locator("#help-condition")).to_contain_text("condition.value")
        assert "old" in await page.input_value("#field-condition")
        visitor.forgive("422")
        assert visitor.errors == []


async def test_a_list_is_pasted_and_counted(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        page = visitor.page
        await visitor.log_in()
        await visitor.open(f"/segments/lists/{shop.list}")
        await page.fill("#field-text", "nobody@example.vn\nno address\n")
        await page.select_option("#field-kind", "email")
        await page.get_by_role("button", name="Add", exact=True).click()
        result = page.locator("[role=status]")
        await expect(result).to_contain_text("2 rows were read.")
        await expect(result).to_contain_text("1 identifier belongs to nobody here.")
        await result.get_by_text("Rows that cannot be read").click()
        await expect(result).to_contain_text("2:")


async def test_segments_are_stopped_divided_and_deleted_with_a_question(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        page = visitor.page
        await visitor.log_in()
        await visitor.open("/segments/new?start=everyone")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_role("button", name="Pause").click()
        await expect(page.locator("main")).to_contain_text("The segment is paused.")
        await page.get_by_role("button", name="Divide at random").click()
        await page.get_by_role("dialog").get_by_role("button", name="Divide", exact=True).click()
        await expect(page.locator("main")).to_contain_text("Everyone · A")
        await page.get_by_role("link", name="Everyone", exact=True).click()
        await page.get_by_role("button", name="Delete this segment").click()
        await expect(page.get_by_role("dialog")).to_contain_text("Segments that refer to it stop working")
        await page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
        await expect(page.locator("main")).to_contain_text("The segment is deleted.")
        await page.get_by_role("link", name="Everyone · A").click()
        await expect(page.locator("[role=alert]")).to_contain_text("Everyone")
        assert visitor.errors == []
