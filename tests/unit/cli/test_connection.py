from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from leocdp.contracts.principal import HEADER, body_hash, verify
from leocdp_cli.connection import Api, SignedAsOperator, connect
from leocdp_cli.failure import CommandFailed, Unreachable

SECRET = "0123456789abcdef0123456789abcdef"


def api(handler: object, **options: object) -> Api:
    transport = httpx.MockTransport(handler)  # type: ignore[arg-type]
    return Api(httpx.Client(base_url="http://admin", transport=transport, **options))  # type: ignore[arg-type]


def test_operator_signs_what_admin_checks() -> None:
    def admin(request: httpx.Request) -> httpx.Response:
        principal, hashed = verify(
            request.headers[HEADER],
            method=request.method,
            path=request.url.raw_path.partition(b"?")[0].decode(),
            query=request.url.query.decode(),
            secret=SECRET.encode(),
            now=time.time_ns() // 1_000_000,
        )
        assert hashed == body_hash(request.content)
        return httpx.Response(200, json={"kind": principal.kind, "path": request.url.path})

    operator = api(admin, auth=SignedAsOperator(SECRET))
    assert operator.post("/sources", {"name": "Büro"})["kind"] == "cli"
    assert operator.get("/profiles/email:a%40b.vn", {"q": "é&x"})["path"] == "/api/v1/profiles/email:a@b.vn"


def test_every_page_of_a_list_is_read() -> None:
    pages = {None: {"data": [1, 2], "next": "c1"}, "c1": {"data": [3], "next": None}}
    rows = api(lambda request: httpx.Response(200, json=pages[request.url.params.get("cursor")])).every("/users")
    assert rows == [1, 2, 3]


def test_problem_is_told_in_the_servers_words() -> None:
    body = {"code": "invalid", "message": "It does not fit.", "details": [{"path": "name", "problem": "is empty"}]}
    with pytest.raises(CommandFailed) as failed:
        api(lambda _: httpx.Response(422, json=body)).post("/sources", {})
    assert str(failed.value) == "It does not fit. (invalid)\n  name: is empty"
    assert failed.value.status == 1


def test_server_that_says_nothing() -> None:
    with pytest.raises(CommandFailed, match="answered 502"):
        api(lambda _: httpx.Response(502, text="<html>")).get("/status")


def test_unreachable_is_status_3() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Unreachable) as failed:
        api(refuse).get("/status")
    assert failed.value.status == 3


def test_nobody_without_key_or_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LEOCDP_API_KEY", "LEOCDP_GATEWAY_SECRET", "LEOCDP_GATEWAY_SECRET_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LEOCDP_DATA_DIR", str(tmp_path))
    with pytest.raises(CommandFailed, match="Who are you"):
        connect()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "gateway_secret").write_text(SECRET)
    assert isinstance(connect(), Api)
