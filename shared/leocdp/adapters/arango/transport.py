"""HTTP for the driver: time limits, no sending twice, and a breaker in front of a server that is down."""

from __future__ import annotations

from collections.abc import MutableMapping
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
    if isinstance(error, NotConnected):
        return "ArangoDB cannot be reached, or the connection broke"
    return f"The connection to ArangoDB failed ({type(error).__name__})"


def to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def from_json(text: str) -> Any:
    return msgspec.json.decode(text)
