"""Events by image: e-mail opens and pages without scripts. The answer is always 200 with a transparent GIF.

``GET /v1/pixel/{type}?data=<base64 JSON>`` (Segment), the same with flat dotted parameters
(``properties.subject=Hi&writeKey=…``), and RudderStack's ``GET /pixel/v1/{track,page}``.
An image cannot be sent again, so its answer promises nothing: a refused or lost one shows in the metrics and, if it
was refused, among the rejected events.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from leocdp.domain.events import EVENT_TYPES
from leocdp_observer.protocols import segment
from leocdp_observer.protocols.wire import Call, Parsed, RefusedItem, Reply, Route
from leocdp_observer.refusals import Refusal

MAX_PARAMETERS: Final = 200
CREDENTIALS: Final = ("writeKey", "writekey")
GIF: Final = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
IMAGE: Final = Reply(200, GIF, b"image/gif", ((b"cache-control", b"no-store"),))


def parse(kind: str, call: Call) -> Parsed:
    """The image's query as one item. Raises Refusal."""
    parameters = _parameters(call.query)
    data = parameters.get("data")
    call.body = _decoded(data) if data else _nested(parameters)
    return segment.parse_single(kind, call)


def _parameters(query: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS, errors="strict")
    except ValueError as error:
        raise Refusal(
            "invalid_pixel", f"The query cannot be read, or has more than {MAX_PARAMETERS} fields."
        ) from error
    return dict(pairs)


def _decoded(data: str) -> bytes:
    plain = data.replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (Base64Error, ValueError) as error:
        raise Refusal("invalid_pixel", "data must be base64 of a JSON object.") from error


def _nested(parameters: dict[str, str]) -> bytes:
    """``{"a.b": "1"}`` as JSON ``{"a": {"b": "1"}}``. Raises Refusal when a name is both a value and a parent."""
    item: dict[str, Any] = {}
    for name, value in parameters.items():
        *parents, last = name.split(".")
        place = item
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise Refusal("invalid_pixel", f"{parent} is both a value and an object.")
        if isinstance(place.get(last), dict):
            raise Refusal("invalid_pixel", f"{last} is both a value and an object.")
        place[last] = value
    for name in CREDENTIALS:
        item.pop(name, None)
    return msgspec.json.encode(item)


def image(_: int, __: Sequence[RefusedItem]) -> Reply:
    return IMAGE


def image_anyway(_: Refusal) -> Reply:
    return IMAGE


def _routes() -> Iterator[Route]:
    paths = [(f"/v1/pixel/{kind}", kind) for kind in EVENT_TYPES]
    paths += [(f"/pixel/v1/{kind}", kind) for kind in ("track", "page")]
    for path, kind in paths:
        summary = f"One {kind} call as an image."
        yield Route(path, "GET", segment.PROTOCOL, "pixel", summary, partial(parse, kind), image, image_anyway)


ROUTES: Final = tuple(_routes())
