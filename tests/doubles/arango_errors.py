"""How tests ask for an error of the server: by HTTP status and error number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from arango.exceptions import ArangoServerError


@contextmanager
def answered(status: int, number: int) -> Iterator[None]:
    with pytest.raises(ArangoServerError) as caught:
        yield
    assert (caught.value.http_code, caught.value.error_code) == (status, number), str(caught.value)
