"""The pages of an erasure where a browser would wait long: nobody carries it out yet, no secret, somebody merged."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from leocdp_admin.views.erasure import names
from tests.unit.admin.people import EVENTS, HOA, LAN
from tests.unit.admin.stack import Client, Stack, admin
from tests.unit.processor.driving import Running, running

SECRET = "a secret of more than thirty-two characters"
HOA_REF, LAN_REF = "email:hoa@example.vn", "email:lan@example.vn"


async def with_people(tmp_path: Path) -> None:
    async with running(tmp_path, erasure_key=SECRET) as processor:
        await fill(processor)


async def fill(processor: Running) -> None:
    await processor.send(*LAN, *HOA, source="quickstart")
    await processor.counted(lambda counts: counts.events + counts.duplicates + counts.filtered >= EVENTS)


@pytest.fixture
async def idle(tmp_path: Path) -> AsyncIterator[Stack]:
    """An admin with people whose processor does not run."""
    await with_people(tmp_path)
    async with admin(tmp_path, erasure_key=SECRET, admin_command_seconds=0.1) as stack:
        yield stack


async def lan_of(stack: Stack) -> str:
    return str((await stack.key().get(f"/api/v1/profiles/{LAN_REF}"))["id"])


async def erase(person: Client, profile: str, typed: str) -> str:
    """Where the form leads to."""
    answer = await person("POST", f"/profiles/{profile}/erase", data={"typed": typed})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def shown(person: Client, path: str, status: int = 200) -> str:
    answer = await person("GET", path)
    assert answer.status_code == status, answer.text
    return answer.text


async def test_while_nobody_carries_it_out_the_page_says_so_and_looks_again(tmp_path: Path, idle: Stack) -> None:
    marketer = await idle.person("marketer")
    lan = await lan_of(idle)
    receipt = await erase(marketer, lan, lan)
    page = await shown(marketer, receipt)
    assert "On its way" in page
    assert f'hx-get="{receipt}"' in page
    async with running(tmp_path, erasure_key=SECRET) as processor:
        await processor.counted(lambda counts: counts.profiles == 1)
        # People go first; the outcome follows in a commit of its own.
        while "On its way" in (page := await shown(marketer, receipt)):
            await asyncio.sleep(0.02)
    assert "The person is forgotten" in page
    assert "hx-trigger" not in page.partition('id="outcome"')[2].partition(">")[0]


async def test_a_refused_one_says_why(tmp_path: Path, idle: Stack) -> None:
    owner = await idle.person("owner")
    lan = await lan_of(idle)
    receipt = await erase(owner, lan, lan)
    async with running(tmp_path) as processor:
        await processor.send(*HOA, source="quickstart")
        while "On its way" in (page := await shown(owner, receipt)):
            await processor.counted(lambda counts: counts.profiles == 2)
    assert "Nobody was erased" in page
    assert "LEOCDP_ERASURE_KEY is not set there" in page


async def test_without_the_secret_the_page_says_what_is_missing(tmp_path: Path) -> None:
    await with_people(tmp_path)
    async with admin(tmp_path) as stack:
        owner = await stack.person("owner")
        lan = await lan_of(stack)
        page = await shown(owner, f"/profiles/{lan}/erase")
        assert "LEOCDP_ERASURE_KEY" in page
        assert 'name="typed"' not in page
        answer = await owner("POST", f"/profiles/{lan}/erase", data={"typed": lan})
        assert answer.status_code == 409
        assert "Erasing is not set up yet" in answer.text


async def test_who_was_merged_meanwhile_is_asked_about_anew(tmp_path: Path) -> None:
    async with (
        admin(tmp_path, erasure_key=SECRET, admin_command_seconds=50) as stack,
        running(tmp_path, erasure_key=SECRET) as processor,
    ):
        await fill(processor)
        owner, api = await stack.person("owner"), stack.key()
        lan = await lan_of(stack)
        hoa = (await api.get(f"/api/v1/profiles/{HOA_REF}"))["id"]
        merged = await api("POST", f"/api/v1/profiles/{lan}/merge", json={"with": hoa})
        assert merged.status_code == 200, merged.text
        into = await lan_of(stack)
        gone = hoa if into == lan else lan
        assert await erase(owner, gone, gone) == f"/profiles/{into}/erase"
        assert "1 profile that was merged into it goes too" in await shown(owner, f"/profiles/{into}/erase")


async def test_receipts_are_of_erasures_only(idle: Stack) -> None:
    asked = await idle.key()("POST", "/api/v1/privacy/requests", json={"kind": "access", "ref": LAN_REF})
    owner, viewer = await idle.person("owner"), await idle.person("viewer")
    page = await shown(owner, f"/privacy/requests/{asked.json()['id']}", 404)
    assert "There is no privacy request with this number" in page
    await shown(viewer, f"/privacy/requests/{asked.json()['id']}", 403)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Trần Thị Lan", True),
        (unicodedata.normalize("NFD", "  trần thị   LAN "), True),
        ("prf_1", True),
        ("PRF_1", True),
        ("Tran Thi Lan", False),
        ("", False),
        ("Lan", False),
    ],
)
def test_the_name_is_typed_as_it_stands_there(typed: str, meant: bool) -> None:
    assert names(typed, "Trần Thị Lan", "prf_1") is meant
