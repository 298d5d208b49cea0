"""Segment's and RudderStack's browser SDKs as published, in a real browser, against a real observer.

A site changes no more than the host of its tag; every call arrives once; nothing is sent anywhere else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Request, async_playwright

from leocdp_observer.assets import FOLDER, LOADER
from tests.capabilities import browser_path, give_up
from tests.protocols.observer_process import ObserverProcess, by_message_id
from tests.protocols.pages import STUB, page, shop
from tests.protocols.running_edge import until
from tests.protocols.stored_items import Stored

pytestmark = pytest.mark.asyncio(loop_scope="module")

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
KEY = "wk_key"
CALLS = """
  analytics.page("Shop", {plan: "free"});
  analytics.identify("u-1", {email: "a@example.vn", name: "Nguyễn Văn Á"});
  analytics.track("Order Completed", {total: 10.5});
  analytics.group("g-1", {name: "Acme"});
  analytics.alias("u-2", "u-1");
"""
RUDDER = "const sdk = new rudderanalytics.RudderAnalytics();"
EXPECTED = Counter({"page": 1, "identify": 1, "track": 1, "group": 1, "alias": 1})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(need: Callable[[str], None]) -> AsyncIterator[Browser]:
    need("browser")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=browser_path(), headless=True, args=ARGUMENTS)
        yield launched
        await launched.close()


class Visitor:
    """A page whose traffic is watched: requests to other hosts are stopped and remembered."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.elsewhere: list[str] = []
        self.sent: list[Request] = []
        self.problems: list[str] = []

    async def watch(self) -> None:
        await self.page.route(re.compile("^https?://(?!127\\.0\\.0\\.1)"), self._stop)
        self.page.on("request", lambda request: self.sent.append(request))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))

    async def _stop(self, route):  # type: ignore[no-untyped-def]
        self.elsewhere.append(route.request.url)
        await route.abort()

    def paths(self, method: str, port: int) -> Counter[str]:
        addresses = [urlsplit(one.url) for one in self.sent if one.method == method]
        return Counter(address.path for address in addresses if address.port == port)


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(browser: Browser) -> AsyncIterator[Visitor]:
    context = await browser.new_context()
    watched = Visitor(await context.new_page())
    await watched.watch()
    yield watched
    await context.close()


def check(visitor: Visitor, stored: list[Stored]) -> dict[str, Stored]:
    """Each item once, of one visitor, without credentials, with what the browser tells; nothing sent elsewhere."""
    items = by_message_id(stored)
    assert visitor.elsewhere == []
    assert visitor.problems == []
    assert len({one.body["anonymousId"] for one in stored}) == 1
    for one in stored:
        assert one.block.source_id == "jitsu"
        assert not one.block.authenticated
        assert "Chrome" in one.block.user_agent
        assert "writeKey" not in one.body
        assert one.body["context"]["page"]["title"] == "Cửa hàng"
    return items


async def test_the_snippet_with_only_the_host_changed(
    request: pytest.FixtureRequest, observer: ObserverProcess, visitor: Visitor
) -> None:
    if not (FOLDER / LOADER).is_file():
        give_up(request.config, "node", "the bundle is not built: run `python services/observer/build_assets.py`")
    setup = STUB.replace("@OBSERVER@", observer.url) + f'analytics.load("{KEY}");' + CALLS
    with shop({"/": page(setup)}, {}) as origin:
        await visitor.page.goto(origin + "/?utm_source=fb&utm_campaign=tet")
        stored = await observer.stored_at_least(5)
    check(visitor, stored)
    assert Counter(one.type for one in stored) == EXPECTED
    tracked = next(one for one in stored if one.type == "track")
    assert tracked.body["properties"] == {"total": 10.5}
    assert tracked.body["context"]["campaign"] == {"source": "fb", "name": "tet"}
    assert visitor.paths("GET", observer.port) == {
        f"/analytics.js/v1/{KEY}/analytics.min.js": 1,
        f"/v1/projects/{KEY}/settings": 1,
    }


async def test_the_package_with_only_the_cdn_changed(
    observer: ObserverProcess, visitor: Visitor, node_modules: Path
) -> None:
    load = (
        f'analytics = window.AnalyticsNext.AnalyticsBrowser.load({{writeKey: "{KEY}", cdnURL: "{observer.url}"}});'
        f"{CALLS} analytics.screen('Main');"
    )
    files = {"/sdk.js": node_modules / "@segment/analytics-next/dist/umd/index.js"}
    with shop({"/": page("", "/sdk.js")}, files) as origin:
        await visitor.page.goto(origin + "/")
        await visitor.page.evaluate(load)
        stored = await observer.stored_at_least(6)
    check(visitor, stored)
    assert Counter(one.type for one in stored) == EXPECTED + Counter({"screen": 1})
    assert visitor.paths("POST", observer.port) == {f"/v1/{letter}": 1 for letter in "pitgas"}


async def test_batches_and_what_is_left_when_the_page_closes(
    observer: ObserverProcess, visitor: Visitor, node_modules: Path
) -> None:
    load = f"""
      analytics = window.AnalyticsNext.AnalyticsBrowser.load({{writeKey: "{KEY}", cdnURL: "{observer.url}"}},
        {{integrations: {{"Segment.io":
          {{deliveryStrategy: {{strategy: "batching", config: {{size: 10, timeout: 60000}}}}}}}}}});
      Promise.all([...Array(23).keys()].map((n) => analytics.track("T" + n, {{n}})));
    """
    files = {"/sdk.js": node_modules / "@segment/analytics-next/dist/umd/index.js"}
    with shop({"/": page("", "/sdk.js"), "/next": page()}, files) as origin:
        await visitor.page.goto(origin + "/")
        await visitor.page.evaluate(load)
        assert 10 <= len(await observer.stored_at_least(10)) < 23
        await visitor.page.goto(origin + "/next")
        stored = await observer.stored_at_least(23)
    check(visitor, stored)
    assert sorted(one.body["properties"]["n"] for one in stored) == list(range(23))
    assert set(visitor.paths("POST", observer.port)) == {"/v1/b"}


async def test_calls_are_retried_until_the_observer_takes_them(
    observer: ObserverProcess, visitor: Visitor, node_modules: Path
) -> None:
    """The browser must see the 503 and not a blocked answer, or it would not know that it may come again."""
    load = f'analytics = window.AnalyticsNext.AnalyticsBrowser.load({{writeKey: "{KEY}", cdnURL: "{observer.url}"}});'
    files = {"/sdk.js": node_modules / "@segment/analytics-next/dist/umd/index.js"}
    statuses: list[int] = []
    visitor.page.on("response", lambda one: statuses.append(one.status) if one.request.method == "POST" else None)
    with shop({"/": page("", "/sdk.js")}, files) as origin:
        await visitor.page.goto(origin + "/")
        moved = observer.folder.with_name("moved")
        observer.folder.rename(moved)
        try:
            await until_refused(observer)
            await visitor.page.evaluate(load + 'void analytics.track("Patient");')
            await until(lambda: 503 in statuses, 30)
        finally:
            moved.rename(observer.folder)
        await until(lambda: 200 in statuses, 60)
    events = Counter(one.body["event"] for one in await observer.stored())
    assert events["Patient"] == 1


async def until_refused(observer: ObserverProcess) -> None:
    """The log notices within a quarter of a second that its file is gone."""
    probe = {"event": "Probe", "userId": "u"}
    async with httpx.AsyncClient(base_url=observer.url, auth=(KEY, ""), timeout=60) as client:

        async def refused() -> bool:
            return (await client.post("/v1/track", json=probe)).status_code == 503

        await until(refused)


@pytest.mark.parametrize("build", ["bundled", "lite"])
async def test_rudderstack_with_only_its_addresses_changed(
    observer: ObserverProcess, visitor: Visitor, node_modules: Path, build: str
) -> None:
    load = f'{RUDDER} sdk.load("{KEY}", "{observer.url}", {{configUrl: "{observer.url}"}});'
    calls = CALLS.replace("analytics.", "sdk.")
    files = {"/sdk.js": node_modules / f"@rudderstack/analytics-js/dist/npm/modern/{build}/umd/index.js"}
    with shop({"/": page("", "/sdk.js")}, files) as origin:
        await visitor.page.goto(origin + "/")
        await visitor.page.evaluate(load + calls)
        stored = await observer.stored_at_least(5)
    check(visitor, stored)
    assert Counter(one.type for one in stored) == EXPECTED
    assert visitor.paths("GET", observer.port)["/sourceConfig/"] == 1


async def test_rudderstacks_beacon(observer: ObserverProcess, visitor: Visitor, node_modules: Path) -> None:
    load = f"""{RUDDER} sdk.load("{KEY}", "{observer.url}",
      {{configUrl: "{observer.url}", useBeacon: true, beaconQueueOptions: {{flushQueueInterval: 60000}}}});"""
    calls = 'for (let n = 0; n < 3; n++) sdk.track("B" + n, {n});'
    files = {"/sdk.js": node_modules / "@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js"}
    with shop({"/": page("", "/sdk.js"), "/next": page()}, files) as origin:
        await visitor.page.goto(origin + "/")
        await visitor.page.evaluate(load + calls)
        await visitor.page.wait_for_function("Object.keys(localStorage).some((key) => key.includes('rudder_beacon'))")
        await visitor.page.goto(origin + "/next")
        stored = await observer.stored_at_least(3)
    check(visitor, stored)
    assert sorted(one.body["properties"]["n"] for one in stored) == [0, 1, 2]
