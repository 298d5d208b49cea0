"""What is wrong with the certificate of an ArangoDB is said, with what to do."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from leocdp.adapters.engines import open_profile_store
from leocdp.ports.profile_store import StoreUnavailable
from leocdp_processor.settings import ProcessorSettings
from tests.certificates import Authority, Issued


@contextmanager
def server(issued: Issued | None) -> Iterator[int]:
    """Speaks TLS with a certificate, or none; answers nothing that helps."""
    listener = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    if issued is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.cert, issued.key)
        listener.socket = context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield listener.server_address[1]
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join(30)


async def refusal(folder: Path, port: int, ca: Path) -> str:
    settings = ProcessorSettings(
        data_dir=folder,
        store_url=f"arangodb://leo@127.0.0.1:{port}/leocdp",
        store_password=SecretStr("secret"),
        store_tls=True,
        store_tls_ca_file=ca,
    )
    store = open_profile_store(settings)
    with pytest.raises(StoreUnavailable) as refused:
        await store.start()
    return str(refused.value)


@pytest.mark.parametrize(
    ("days", "host", "told"),
    [
        (-3, "127.0.0.1", "has run out: it must be renewed there"),
        (30, "db.example.vn", "It is for another name: the URL must have a name that stands in it"),
    ],
)
async def test_a_certificate_that_does_not_do(tmp_path: Path, days: int, host: str, told: str) -> None:
    authority = Authority(tmp_path, "ours")
    with server(authority.issue("db", days=days, host=host)) as port:
        said = await refusal(tmp_path, port, authority.cert)
    assert "The certificate of ArangoDB is not accepted" in said
    assert told in said


async def test_a_certificate_of_another_authority(tmp_path: Path) -> None:
    with server(Authority(tmp_path, "theirs").issue("db")) as port:
        said = await refusal(tmp_path, port, Authority(tmp_path, "ours").cert)
    assert "LEOCDP_STORE_TLS_CA_FILE must hold the certificate that it is signed with" in said


async def test_a_port_without_tls(tmp_path: Path) -> None:
    with server(None) as port:
        said = await refusal(tmp_path, port, Authority(tmp_path, "ours").cert)
    assert "ArangoDB does not speak TLS there" in said
