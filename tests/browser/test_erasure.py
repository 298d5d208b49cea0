"""Forgetting a person by clicking: what is lost is said, the name is typed, a receipt is shown, nothing is left."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Shop
from tests.browser.seed import api, item
from tests.browser.stack import PASSWORD
from tests.browser.visitor import NARROW, WIDE, Visitor, visiting

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.needs("browser"), pytest.mark.timeout(300)]


async def somebody(shop: Shop, number: str, name: str) -> str:
    """Somebody who may be erased; returns their page."""
    traits = {"name": name, "email": f"{number}@example.vn"}
    sent = [
        item("identify", f"m-{number}", 50, userId=number, anonymousId=f"{number}-phone", traits=traits),
        item("track", f"m-{number}-order", 40, userId=number, event="Order Completed", properties={"total": 10000}),
    ]
    assert shop.stack.send(*sent) == 200
    shop.stack.settle()
    return f"/profiles/{api(shop.stack, 'GET', f'/profiles/user_id:{number}')['id']}"


async def test_a_person_is_erased_by_typing_their_name(browser: Browser, shop: Shop) -> None:
    path = await somebody(shop, "gone-1", "Đặng Thu Hà")
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open(path)
        page = visitor.page
        await page.get_by_role("button", name="Actions").click()
        await page.get_by_role("link", name="Erase this person").click()
        await expect(page.locator("h1")).to_have_text("Erase Đặng Thu Hà")
        await expect(page.locator("main")).to_contain_text("The whole story: 2 events")
        await expect(page.locator("main")).to_contain_text("3 IDs")
        await expect(page.locator("body")).to_contain_text("There is no way back")
        typed = page.get_by_label("To go on, type the name or the profile number")
        await typed.fill("somebody else")
        await page.get_by_role("button", name="Erase for ever").click()
        await expect(page.locator("main")).to_contain_text("Type Đặng Thu Hà or prf_")
        await expect(typed).to_have_value("somebody else")
        visitor.forgive("422")
        await typed.fill("  đặng thu  hà ")
        await page.get_by_role("button", name="Erase for ever").click()
        await expect(page.locator("h1")).to_have_text("Receipt of an erasure")
        done = page.get_by_role("region", name="The person is forgotten")
        assert (await done.locator("dd").all_inner_texts())[:3] == ["1", "2", "3"]
        copies = page.get_by_role("region", name="The last copy")
        await expect(copies).to_contain_text(re.compile(r"is gone after \w+ \d+, \d{4}"))
        assert "Thu Hà" not in await visitor.text()
        await visitor.open(path, status=404)
        assert "It may have been deleted" in await visitor.text()
        await visitor.open(f"{path}/erase", status=404)
        visitor.forgive("404")
        await visitor.open("/profiles?q=thu+ha")
        await expect(page.locator("#results")).to_contain_text("Nobody found")


async def test_the_audit_log_says_it_and_leads_to_the_receipt(browser: Browser, shop: Shop) -> None:
    path = await somebody(shop, "gone-2", "Đỗ Minh")
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open(f"{path}/erase")
        page = visitor.page
        await page.get_by_label("To go on, type").fill(path.removeprefix("/profiles/"))
        await page.get_by_role("button", name="Erase for ever").click()
        await expect(page.locator("h1")).to_have_text("Receipt of an erasure")
        receipt = page.url
        await visitor.open("/settings/audit")
        row = page.get_by_role("row").filter(has_text="erased a person").first
        await row.get_by_role("link").click()
        await expect(page).to_have_url(receipt)
        await visitor.open("/settings/audit")
        assert await page.locator(f"main a[href^='{path}']").count() == 0, "a link that leads nowhere"
        await page.locator("select[name=action]").select_option("privacy.")
        await expect(page.get_by_role("row").filter(has_text="looked at")).to_have_count(0)
        await expect(page.get_by_role("row").filter(has_text="erased a person").first).to_be_visible()


async def test_who_may_only_look_is_not_offered_it(browser: Browser, shop: Shop) -> None:
    path = await somebody(shop, "stays-1", "Vũ Lan")
    reader = {"email": "reader@example.vn", "name": "Reader", "role": "viewer", "password": PASSWORD}
    api(shop.stack, "POST", "/users", reader)
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in("reader@example.vn")
        await visitor.open(path)
        await expect(visitor.page.get_by_role("button", name="Actions")).to_have_count(0)
        await visitor.open(f"{path}/erase", status=403)
        assert "Your role does not include this" in await visitor.text()
        visitor.forgive("403")


@pytest.mark.parametrize("language", ["en", "vi"])
async def test_question_and_receipt_are_for_everybody(browser: Browser, shop: Shop, language: str) -> None:
    path = await somebody(shop, f"gone-{language}", "Phan Tố Uyên")
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in(language=language)
        await visitor.open(f"{path}/erase")
        await _for_everybody(visitor, language)
        await visitor.page.fill("#field-typed", "Phan Tố Uyên")
        await visitor.page.locator("main button[type=submit]").click()
        await visitor.page.wait_for_url("**/privacy/requests/*")
        await expect(visitor.page.locator("#request-id")).to_be_visible()
        await _for_everybody(visitor, language)


async def _for_everybody(visitor: Visitor, language: str) -> None:
    assert await visitor.page.get_attribute("html", "lang") == language
    await visitor.resize(NARROW)
    assert await visitor.overflow() <= 0
    await visitor.resize(WIDE)
    assert await visitor.serious_faults() == []
