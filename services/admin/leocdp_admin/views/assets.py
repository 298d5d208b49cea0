"""Static files: an address that changes with the content, so that browsers may keep them for ever."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC_DIR: Final = Path(__file__).resolve().parent.parent / "static"
STATIC_PATH: Final = "/static"
_FOR_EVER: Final = "public, max-age=31536000, immutable"


class Assets:
    """Names of static files → addresses. Hashes are made when a file is first asked for."""

    def __init__(self, folder: Path = STATIC_DIR) -> None:
        self._folder = folder
        self._known: dict[str, str] = {}

    def url(self, name: str) -> str:
        """Raises FileNotFoundError: ``build_assets.py`` was not run, or the name is wrong."""
        known = self._known.get(name)
        if known is None:
            digest = sha256((self._folder / name).read_bytes()).hexdigest()[:12]
            known = self._known[name] = f"{STATIC_PATH}/{name}?v={digest}"
        return known


class CompressedStaticFiles(StaticFiles):
    """Serves the compressed twin of a file where there is one and the client takes it."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await self._best(path, scope)
        if b"v=" in scope.get("query_string", b"") and response.status_code < 400:
            response.headers["cache-control"] = _FOR_EVER
        response.headers["x-content-type-options"] = "nosniff"
        return response

    async def _best(self, path: str, scope: Scope) -> Response:
        takes_gzip = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        packed, _ = self.lookup_path(f"{path}.gz") if takes_gzip else ("", None)
        if not packed:
            return await super().get_response(path, scope)
        plain = await super().get_response(path, scope)
        response = await super().get_response(f"{path}.gz", scope)
        response.headers["content-type"] = plain.headers.get("content-type", "application/octet-stream")
        response.headers["content-encoding"] = "gzip"
        response.headers["vary"] = "accept-encoding"
        return response
