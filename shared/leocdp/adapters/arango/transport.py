"""HTTP for the driver: time limits, no sending twice, and a breaker in front of a server that is down."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, MutableMapping
from itertools import islice
from typing import Any, Final

import msgspec
from arango.http import HTTPClient
from arango.response import Response
from requests import ConnectionError as NotConnected
from requests import RequestException, Session, Timeout
from requests.adapters import HTTPAdapter

from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.failures import Failure, Kind, LeftAlone

CONNECT_SECONDS: Final = 3.05
_DEEPEST: Final = 12
_EXPIRED: Final = 10
_OTHER_NAME: Final = frozenset({62, 64})
"""OpenSSL's numbers (X509_V_ERR_…)."""
_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNEXPECTED_MESSAGE"})
"""What OpenSSL makes of an answer in plain HTTP; which of them depends on its version."""


class Transport(HTTPClient):
    """Sends each request once: what may be repeated, the caller knows. For one thread."""

    def __init__(self, breaker: Breaker, answer_seconds: float, verify: bool | str) -> None:
        self._breaker = breaker
        self._times = (CONNECT_SECONDS, answer_seconds)
        self._verify = verify

    def create_session(self, host: str) -> Session:
        session = Session()
        # Neither a proxy nor a .netrc of the environment has a say in where a database is.
        session.trust_env = False
        session.verify = self._verify
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0))
        return session

    def send_request(
        self,
        session: Session,
        method: str,
        url: str,
        headers: Any = None,
        params: MutableMapping[str, str] | None = None,
        data: Any = None,
        auth: tuple[str, str] | None = None,
    ) -> Response:
        """Raises Failure (UNAVAILABLE) when there is no answer; the request may have been carried out all the same."""
        if (seconds := self._breaker.wait()) > 0:
            raise LeftAlone(self._breaker.reason, seconds)
        body = data.encode() if isinstance(data, str) else data
        try:
            answer = session.request(
                method, url, params=params, data=body, headers=headers, auth=auth, timeout=self._times
            )
            text = answer.content.decode("utf-8", "replace")
        except RequestException as error:
            sentence = _sentence(error)
            self._breaker.failed(sentence)
            raise Failure(Kind.UNAVAILABLE, sentence) from error
        if answer.status_code in (502, 503, 504):
            self._breaker.failed(f"ArangoDB answers with status {answer.status_code}")
        else:
            self._breaker.succeeded()
        return Response(method, answer.url, answer.headers, answer.status_code, answer.reason, text)


def _sentence(error: RequestException) -> str:
    if isinstance(error, Timeout):
        return "ArangoDB did not answer in time"
    if (told := _about_tls(error)) is not None:
        return told
    if isinstance(error, NotConnected):
        return "ArangoDB cannot be reached, or the connection broke"
    return f"The connection to ArangoDB failed ({type(error).__name__})"


def _about_tls(error: BaseException) -> str | None:
    """What is wrong with a certificate or with TLS itself, which the HTTP library wraps several times."""
    for cause in islice(_causes(error), _DEEPEST):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"The certificate of ArangoDB is not accepted ({cause.verify_message}). {_advice(cause.verify_code)}"
        if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
            return "ArangoDB does not speak TLS there: check the port of the URL, or set LEOCDP_STORE_TLS to false"
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        inside = (getattr(found, "reason", None), *found.args, found.__cause__, found.__context__)
        found = next((one for one in inside if isinstance(one, BaseException)), None)


def _advice(code: int) -> str:
    if code == _EXPIRED:
        return "It, or the one that it is signed with, has run out: it must be renewed there"
    if code in _OTHER_NAME:
        return "It is for another name: the URL must have a name that stands in it"
    return "LEOCDP_STORE_TLS_CA_FILE must hold the certificate that it is signed with"


def to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def from_json(text: str) -> Any:
    return msgspec.json.decode(text)
