"""Which format each file of the embedded engine has, looked up without opening it for work."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from leocdp.adapters.formats import StoreFormat
from leocdp.adapters.sqlite.admin.schema import MIGRATIONS as ADMIN_MIGRATIONS
from leocdp.adapters.sqlite.log.file import SCHEMA_VERSION as LOG_VERSION
from leocdp.adapters.sqlite.profiles.schema import SCHEMA_VERSION as PROFILES_VERSION

KNOWN = {"log": LOG_VERSION, "profiles": PROFILES_VERSION, "admin": len(ADMIN_MIGRATIONS)}
"""The newest format of each file that this build knows."""


def file_format(name: str, path: Path) -> StoreFormat:
    """``name`` is one of ``KNOWN``."""
    known = KNOWN[name]
    if not path.exists():
        return StoreFormat(name, str(path), None, known)
    try:
        connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=5)
        try:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error as error:
        return StoreFormat(name, str(path), None, known, f"It cannot be read: {error}.")
    if version > known:
        newer = (
            f"A newer version of this program has written it (format {version}; this one knows {known}). Upgrade, or "
            "restore a backup made before the upgrade."
        )
        return StoreFormat(name, str(path), version, known, newer)
    return StoreFormat(name, str(path), version or None, known)
