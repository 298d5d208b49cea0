"""The browser bundle that the loader path serves, as ``services/observer/build_assets.py`` has put it into place."""

from __future__ import annotations

import gzip
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "assets"
LOADER: Final = "standalone.js"
PLACEHOLDER: Final = "__WRITE_KEY__"
NAME: Final = re.compile(r"[A-Za-z0-9._-]+\.js")
HOW_TO_BUILD: Final = (
    "The browser bundle is not built here: run `python services/observer/build_assets.py`, "
    "then start the observer again."
)


class AssetsMissing(Exception):
    """The bundle has not been built; the text says how to."""


class Assets:
    """Files of the bundle, read once. Raises AssetsMissing from its methods while there are none."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {path.name: path.read_bytes() for path in folder.glob("*.js")} if folder.is_dir() else {}
        self._packed = {name: gzip.compress(data, 9, mtime=0) for name, data in self._files.items()}
        self.loader = lru_cache(maxsize=64)(self._loader)

    def chunk(self, name: str, *, packed: bool) -> bytes | None:
        """A part that the bundle loads when it needs it; None when there is no such part."""
        if not self._files:
            raise AssetsMissing(HOW_TO_BUILD)
        return (self._packed if packed else self._files).get(name)

    def _loader(self, write_key: str, base: str, packed: bool) -> bytes:
        """The bundle for one write key. ``base`` is the observer's address as the page reached it.

        The bundle learns where its settings are from the script's address, but only where that is https; the line in
        front tells it always, so the usual snippet also works on a laptop.
        """
        bundle = self._files.get(LOADER)
        if bundle is None:
            raise AssetsMissing(HOW_TO_BUILD)
        first = f"if(window.analytics)window.analytics._cdn=window.analytics._cdn||{json.dumps(base)};\n"
        text = first.encode("ascii") + bundle.replace(PLACEHOLDER.encode(), write_key.encode("ascii"))
        return gzip.compress(text, 6, mtime=0) if packed else text
