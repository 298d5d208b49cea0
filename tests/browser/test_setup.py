"""From nothing to the first event; sources, users, keys and settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Shop
from tests.browser.seed import item
from tests.browser.stack import Stack, running_services
from tests.browser.visitor import visiting
from tests.browser.website import website

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.needs("browser"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], None]) -> Iterator[Stack]:
    """A system that nobody has used yet."""
    need("browser")
    with running_services(tmp_path_factory.mktemp("fresh")) as stack:
        yield stack


async def test_from_the_first_login_link_to_the_first_event(browser: Browser, fresh: Stack) -> None:
    async with visiting(browser, fresh) as visitor:
        page = visitor.page
        await visitor.open("/login")
        await expect(page.locator("main")).to_contain_text("Nobody can log in yet")
        link = urlsplit(fresh.link_file.read_text().strip())
        await visitor.open(f"{link.path}?{link.query}")
        await page.fill("#field-name", "Hà Trần")
        await page.fill("#field-email", "ha@example.vn")
        await page.fill("#field-password", "short")
        await page.get_by_role("button", name="Begin").click()
        await expect(page.locator("main")).to_contain_text("A password needs at least 10 characters.")
        await page.fill("#field-password", "a long enough password")
        await page.get_by_role("button", name="Begin").click()
        await expect(page.locator("main")).to_contain_text("Let us connect your first website")

        await page.get_by_role("link", name="Connect your first website").click()
        await page.fill("#field-name", "Cửa hàng")
        await page.get_by_role("button", name="Go on").click()
        await expect(page.locator("main")).to_contain_text("Waiting for the first event")
        snippet = await page.locator("#code-page-1").inner_text()
        found = re.search(r'\}\)\("(wk_[^"]+)", "(http[^"]+)"\)', snippet)
        assert found is not None, snippet
        assert found[2] == fresh.observer
        await page.get_by_role("tab", name="Test line").click()
        await expect(page.locator("#code-test-1")).to_contain_text(f"-u {found[1]}:")
        event = item("track", "first-1", 0, anonymousId="a-1", event="Test Event")
        while fresh.send(event, key=found[1]) != 200:
            await page.wait_for_timeout(200)
        await expect(page.locator("main")).to_contain_text("First event received ✓")
        await page.get_by_role("link", name="Watch the events").click()
        await expect(page.locator("details.event")).to_contain_text("Test Event")

        await visitor.open(f"{link.path}?{link.query}", status=409)
        await expect(page.locator("main")).to_contain_text("This link does not work any more")
        visitor.forgive("409", "422")


async def test_the_lines_to_copy_work_in_a_real_page(browser: Browser, shop: Shop) -> None:
    """The snippet and the two calls, exactly as shown, in a page of a made-up website."""
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open(f"/sources/{shop.source['id']}/connect")
        snippet, identify, track = [await visitor.page.locator(f"#code-page-{n}").inner_text() for n in (1, 2, 3)]
        html = f"<!doctype html><title>Trà sen</title><head>{snippet}</head><script>{identify}\n{track}</script>"
        site = await visitor.page.context.new_page()
        with website(html) as address:
            await site.goto(f"{address}/san-pham/tra-sen?utm_source=zalo")
            await visitor.open("/events?source=" + shop.source["id"])
            rows = visitor.page.locator(".live-list")
            await expect(rows).to_contain_text("Order Completed", timeout=15_000)
            await expect(rows).to_contain_text("/san-pham/tra-sen")
        await visitor.open("/profiles?q=lan@example.vn")
        await visitor.page.locator("#rows a.row-link").click()
        await expect(visitor.page.locator("h1")).to_have_text("Lan Nguyen")
        await expect(visitor.page.locator(".story-session")).to_have_count(1)
        await expect(visitor.page.locator("details.event")).to_have_count(3)


async def test_wrong_password_says_so_and_the_right_one_leads_back(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        page = visitor.page
        await visitor.open("/profiles?q=mai")
        await expect(page).to_have_url(re.compile(r"/login\?next="))
        await page.fill("#field-email", "owner@example.vn")
        await page.fill("#field-password", "not the password")
        await page.locator("main button[type=submit]").click()
        await expect(page.locator("main")).to_contain_text("E-mail or password is wrong")
        await page.fill("#field-password", "correct horse battery")
        await page.locator("main button[type=submit]").click()
        await expect(page).to_have_url(f"{shop.stack.base}/profiles?q=mai")
        await page.get_by_role("button", name="Your account").last.click()
        await page.get_by_role("button", name="Log out").last.click()
        await expect(page.locator("main")).to_contain_text("You are logged out")
        await visitor.open("/settings/users")
        await expect(page).to_have_url(re.compile("/login"))
        visitor.forgive("401")


async def test_a_source_is_changed_gets_a_new_key_and_goes(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        page = visitor.page
        await visitor.open("/connect")
        await page.fill("#field-name", "Web shop")
        await page.get_by_text("A server or system of yours").click()
        await page.get_by_role("button", name="Go on").click()
        await expect(page.locator("main")).to_contain_text("Another source has this name already.")
        await page.fill("#field-name", "Till")
        await page.get_by_role("button", name="Go on").click()
        await expect(page.get_by_role("tab", name="Python")).to_be_visible()
        await expect(page.get_by_role("tab", name="Website")).to_have_count(0)
        await page.get_by_role("link", name="Settings of this source").click()
        await page.get_by_text("Many people").click()
        await page.fill("#field-origins", "shop.example.vn/path https://*.example.com")
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.locator("#messages")).to_contain_text("The source is saved")
        await expect(page.locator("#field-origins")).to_have_value("https://shop.example.vn https://*.example.com")
        await page.fill("#field-origins", "not an address!")
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.locator("main")).to_contain_text("Write addresses like https://shop.example.vn")
        await page.reload()
        before = await page.locator("#write-key").inner_text()
        await page.get_by_role("button", name="Replace the key").click()
        await expect(page.get_by_role("dialog")).to_contain_text("The old key stops working within seconds")
        await page.get_by_role("dialog").get_by_role("button", name="Replace the key").click()
        await expect(page.locator("#messages")).to_contain_text("The key is replaced")
        await page.get_by_role("link", name="Settings of this source").click()
        assert await page.locator("#write-key").inner_text() != before
        await page.get_by_role("button", name="Delete this source").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(page.locator("#messages")).to_contain_text("The source is deleted")
        await expect(page.locator("table")).not_to_contain_text("Till")
        visitor.forgive("409", "422")


async def test_a_viewer_is_invited_and_sees_no_contacts(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        page = visitor.page
        await visitor.open("/settings/users")
        await page.get_by_role("button", name="Invite").click()
        dialog = page.get_by_role("dialog")
        await dialog.locator("#field-email").fill("khach@example.vn")
        await dialog.locator("#field-name").fill("Khách Xem")
        await dialog.get_by_text("May look only").click()
        await dialog.get_by_role("button", name="Create the invitation").click()
        link = urlsplit(await page.locator("#invitation").inner_text())
    async with visiting(browser, shop.stack) as viewer:
        page = viewer.page
        await viewer.open(f"{link.path}?{link.query}")
        await page.fill("#field-password", "only looking around")
        await page.get_by_role("button", name="Begin").click()
        await page.wait_for_url(f"{shop.stack.base}/")
        await viewer.open("/profiles?q=ph%E1%BA%A1m")
        await expect(page.locator("#rows")).to_contain_text("v•••@e•••")
        await page.locator("#rows a.row-link").first.click()
        assert "vy@example.vn" not in await page.content()
        assert "Raw JSON" not in await page.content()
        await expect(page.get_by_role("button", name="Actions")).to_have_count(0)
        await page.get_by_role("link", name="Identity").click()
        assert "vy@example.vn" not in await page.content()
        await expect(page.get_by_role("button", name="Undo")).to_have_count(0)
        await viewer.open("/sources", status=403)
        await expect(page.locator("main")).to_contain_text("Your role does not include this")
        await viewer.open("/settings/users", status=403)
        await viewer.open("/settings")
        await expect(page.get_by_role("navigation", name="Areas of the settings")).not_to_contain_text("Users")
        viewer.forgive("403")


async def test_a_user_is_switched_off_and_deleted(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        page = visitor.page
        await visitor.open("/settings/users")
        await page.get_by_role("button", name="Invite").click()
        dialog = page.get_by_role("dialog")
        await dialog.locator("#field-email").fill("an@example.vn")
        await dialog.get_by_role("button", name="Create the invitation").click()
        await expect(page.locator("#invitation")).to_contain_text("/welcome?token=")
        await visitor.open("/settings/users")
        await page.get_by_role("button", name="Change an@example.vn").click()
        await page.get_by_role("button", name="Switch off").click()
        row = page.locator("tr", has_text="an@example.vn")
        await expect(row).to_contain_text("Switched off")
        await row.get_by_role("button", name="Change").click()
        await page.get_by_role("button", name="Delete…").click()
        await page.get_by_role("dialog").last.get_by_role("button", name="Delete", exact=True).click()
        await expect(page.locator("#messages")).to_contain_text("The user is deleted")
        await expect(row).to_have_count(0)


async def test_an_api_key_is_shown_once_works_and_is_revoked(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        page = visitor.page
        await visitor.open("/settings/keys")
        await page.get_by_role("button", name="New key").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("What is it for?").fill("monthly report")
        await dialog.get_by_label("Read profiles").uncheck()
        await dialog.get_by_role("button", name="Make the key").click()
        await expect(dialog).to_contain_text("Choose at least one thing")
        await dialog.get_by_label("Read profiles").check()
        await dialog.get_by_role("button", name="Make the key").click()
        secret = await page.locator("#secret").inner_text()
        assert answered(shop.stack, secret) == 200
        await visitor.open("/settings/keys")
        assert secret not in await page.content()
        await page.get_by_role("button", name="Revoke monthly report").click()
        await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        await expect(page.locator("#messages")).to_contain_text("The key is revoked")
        await expect(page.locator("tr", has_text="monthly report")).to_contain_text("Revoked")
        visitor.forgive("422")


def answered(stack: Stack, key: str) -> int:
    answer = httpx.get(f"{stack.base}/api/v1/profiles", headers={"authorization": f"Bearer {key}"}, timeout=60)
    return answer.status_code


async def test_workspace_time_zone_and_language(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        page = visitor.page
        await visitor.open("/settings/workspace")
        await page.fill("#field-time_zone", "Asia/Nowhere")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("main")).to_contain_text("Choose a time zone from the list")
        await page.fill("#field-time_zone", "Asia/Ho_Chi_Minh")
        await page.fill("#field-name", "Trà & Cà phê")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#messages")).to_contain_text("Saved.")
        await visitor.open("/")
        await expect(page.locator(".page-pretitle")).to_have_text("Trà & Cà phê", ignore_case=True)
        visitor.forgive("422")


async def test_what_was_done_is_in_the_audit_log(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open("/profiles?q=hoa")
        await visitor.page.locator("#rows a.row-link").first.click()
        await visitor.open("/settings/audit?action=profile.")
        await expect(visitor.page.locator("tbody")).to_contain_text("looked at a profile")
        await visitor.page.get_by_label("What", exact=True).select_option("user.")
        await expect(visitor.page.locator("tbody")).to_contain_text("logged in")


async def test_a_form_from_elsewhere_changes_nothing(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.stack) as visitor:
        await visitor.log_in()
        await visitor.open("/settings/workspace")
        await visitor.page.evaluate("document.querySelector('main form [name=csrf_token]').value = 'guessed'")
        await visitor.page.get_by_role("button", name="Save").click()
        await expect(visitor.page.locator("main")).to_contain_text("Nothing was changed")
        visitor.forgive("403")
