"""Finding a person, reading their story, and mending who is who."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Shop
from tests.browser.visitor import Visitor, visiting

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.needs("browser"), pytest.mark.timeout(300)]


async def person(visitor: Visitor, search: str, name: str) -> None:
    """Open somebody from the list, as people do."""
    await visitor.open(f"/profiles?q={search}")
    await visitor.page.locator("#rows").get_by_role("link", name=name, exact=True).click()
    await expect(visitor.page.locator("h1")).to_have_text(name)


async def test_search_as_you_type_needs_no_accents(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open("/profiles")
        page = visitor.page
        await expect(page.locator("#rows tr")).to_have_count(50)
        await page.locator("#search").press_sequentially("nguyen thi", delay=20)
        await expect(page.locator("#rows tr")).to_have_count(1)
        await expect(page.locator("#rows")).to_contain_text("Nguyễn Thị Mai")
        await expect(page).to_have_url(f"{shop.stack.base}/profiles?q=nguyen%20thi&status=&sort=last_seen")
        await page.fill("#search", "0987 111 222")
        await expect(page.locator("#rows")).to_contain_text("Phạm Vy")
        await page.fill("#search", "nobody at all")
        await expect(page.locator("#results")).to_contain_text("Nobody found")
        await page.get_by_role("link", name="Show all profiles").click()
        await expect(page.locator("#rows tr")).to_have_count(50)


async def test_more_profiles_are_added_to_the_list(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open("/profiles")
        page = visitor.page
        await page.select_option("#status", "anonymous")
        await expect(page.locator("#results")).to_contain_text("60 profiles")
        await page.get_by_role("link", name="Show more").click()
        await expect(page.locator("#rows tr")).to_have_count(60)
        await expect(page.get_by_role("link", name="Show more")).to_have_count(0)
        names = await page.locator("#rows a.row-link").all_inner_texts()
        hrefs = await page.locator("#rows a.row-link").evaluate_all("found => found.map(link => link.href)")
        assert len(set(hrefs)) == 60
        assert all(name.startswith("Anonymous visitor") for name in names)


async def test_a_story_is_told_by_day_and_session_and_unfolds(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await person(visitor, "mai", "Nguyễn Thị Mai")
        page = visitor.page
        await expect(page.locator(".story-session")).to_have_count(2)
        order = page.locator("details.event", has_text="Order Completed")
        await expect(order).to_have_count(1)
        await order.locator("summary").first.click()
        await expect(order).to_contain_text("₫350,000")
        await expect(order).to_contain_text("Cà phê")
        await order.get_by_text("Raw JSON").click()
        await expect(order.locator("pre")).to_contain_text('"order_id": "A-1001"')
        await page.get_by_label("Kind of event").select_option("page")
        await expect(page.locator("details.event")).to_have_count(1)
        await expect(page.locator("details.event")).to_contain_text("Viewed “Trà sen”")
        await page.get_by_label("Name of the event").select_option("Order Completed")
        await expect(page.locator("#story")).to_contain_text("No such events")


async def test_why_an_id_is_here_is_shown_with_its_event(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await person(visitor, "mai", "Nguyễn Thị Mai")
        page = visitor.page
        await page.get_by_role("link", name="Identity").click()
        row = page.locator(".id-list > li", has_text="mai@example.vn").first
        await expect(row).to_contain_text("Came with an event from quickstart")
        await row.get_by_role("button", name="Show that event").click()
        await expect(row).to_contain_text("Gave their details")
        await expect(row).to_contain_text("m-mai")
        await expect(page.locator("#refusals-title")).to_be_visible()


async def test_a_merge_by_an_event_is_explained_and_undone(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await person(visitor, "vy@example.vn", "Phạm Vy")
        page = visitor.page
        await page.get_by_role("link", name="Identity").click()
        merges = page.get_by_role("region", name="How this profile came together")
        await expect(merges).to_contain_text("showed that both use Browser or app phone-2")
        await merges.get_by_role("button", name="Undo").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Each gets back exactly the events and details")
        await dialog.get_by_text("Both really use it").click()
        await dialog.get_by_role("button", name="Undo the merge").click()
        await expect(page.locator("#messages")).to_contain_text("The merge is undone")
        await expect(merges).to_contain_text("Undone on")
        apart = page.get_by_role("region", name="Never merged by itself with")
        other = await apart.get_by_role("link").first.get_attribute("href") or ""
        await apart.get_by_role("button", name="Allow merging again").click()
        await page.get_by_role("dialog").get_by_role("button", name="Allow it").click()
        await expect(page.locator("#messages")).to_contain_text("may merge again")
        await visitor.open(f"{other}/identity")
        shared = page.locator(".id-list > li", has_text="phone-2").first
        await expect(shared).to_contain_text("Shared by several people")
        await shared.get_by_role("button", name="Use it again").click()
        await page.get_by_role("dialog").get_by_role("button", name="Use it again").click()
        await expect(page.locator("#messages")).to_contain_text("in use again")


async def test_a_shared_tablet_is_told_in_plain_words(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await person(visitor, "crm-5", "Lê Nam")
        await visitor.page.get_by_role("link", name="Identity").click()
        switches = visitor.page.get_by_role("region", name="Shared devices")
        await expect(switches).to_contain_text("was used by somebody else before, and belongs to this person now")
        await switches.get_by_role("link", name="Show the other profile").click()
        await expect(visitor.page.locator("h1")).to_have_text("Lê Hoa")


async def test_labels_and_consents_are_changed_by_clicking(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await person(visitor, "crm-4", "Lê Hoa")
        page = visitor.page
        await page.get_by_role("button", name="Actions").click()
        await page.get_by_role("button", name="Change labels").click()
        await page.fill("#label-text", "VIP, Khách sỉ")
        await page.get_by_role("button", name="Save labels").click()
        await expect(page.locator("#messages")).to_contain_text("The labels are saved")
        await page.get_by_role("link", name="Khách sỉ").click()
        await expect(page.locator("#rows tr")).to_have_count(1)
        await page.locator("#rows a.row-link").click()
        consents = page.get_by_role("region", name="What this person agreed to")
        await expect(consents).to_contain_text("Not asked")
        await consents.get_by_role("button", name="Change").click()
        choice = page.get_by_role("dialog").get_by_role("group", name="Marketing")
        await choice.get_by_text("Refused").click()
        await page.get_by_role("button", name="Save consents").click()
        await expect(page.locator("#messages")).to_contain_text("The consents are saved")
        await expect(consents.locator("dd").nth(1)).to_contain_text("Refused")
        await expect(consents.locator("dd").nth(1)).to_contain_text("set by hand")


async def test_a_pair_is_kept_apart_taken_up_again_and_merged(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open("/reviews")
        page = visitor.page
        pair = page.locator(".pair", has_text="Trần Văn Bình")
        await expect(pair).to_contain_text("Phone +84912345671")
        await pair.get_by_role("button", name="Two people").click()
        await page.get_by_role("dialog").get_by_role("button", name="Yes, keep them apart").click()
        await expect(page.locator("#messages")).to_contain_text("they are two people")
        await expect(pair).to_have_count(0)
        await page.get_by_role("link", name="Kept apart").click()
        await page.locator(".pair", has_text="Trần Văn Bình").get_by_role("button", name="Look at it again").click()
        await expect(page.locator("#messages")).to_contain_text("back in the list")
        double = page.locator(".pair", has_text="Mai Nguyen")
        await double.get_by_role("button", name="Same person").click()
        await expect(page.get_by_role("dialog")).to_contain_text("You can undo the merge later")
        await page.get_by_role("dialog").get_by_role("button", name="Merge").click()
        await expect(page.locator("#messages")).to_contain_text("The two profiles are one now")
        await page.get_by_role("link", name="Identity").click()
        await expect(page.locator("main")).to_contain_text("Merged by hand")


async def test_two_profiles_are_merged_by_search(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await person(visitor, "crm-5", "Lê Nam")
        page = visitor.page
        await page.get_by_role("button", name="Actions").click()
        await page.get_by_role("link", name="Merge with another profile").click()
        await expect(page.locator("#candidates")).to_contain_text("Who is the other one?")
        await page.locator("#search").press_sequentially("binh", delay=20)
        candidate = page.locator("#candidates .pair", has_text="Trần Văn Bình")
        await candidate.get_by_role("button", name="This one").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Lê Nam")
        await dialog.get_by_role("button", name="Cancel").click()
        await expect(dialog).to_have_count(0)
        await candidate.get_by_role("button", name="This one").click()
        await dialog.get_by_role("button", name="Merge").click()
        await expect(page.locator("#messages")).to_contain_text("The two profiles are one now")
