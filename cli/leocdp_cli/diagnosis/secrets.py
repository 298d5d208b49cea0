"""Secrets: there, long enough, readable, and not given twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from leocdp.domain.privacy.ledger import SHORTEST_SECRET
from leocdp.kit.settings import read_secret
from leocdp_cli import stores
from leocdp_cli.diagnosis.finding import Finding
from leocdp_cli.supervisor.data_dir import ERASURE_KEY, GATEWAY_SECRET
from leocdp_cli.supervisor.settings import RunSettings

PAIRS: Final = (
    "GATEWAY_SECRET",
    "ERASURE_KEY",
    "LOG_PASSWORD",
    "STORE_PASSWORD",
    "ADMIN_STORE_PASSWORD",
    "BOOTSTRAP_WRITE_KEY",
)
"""Settings that may stand in a variable or in the file that ``…_FILE`` names."""


def secrets() -> Iterator[Finding]:
    settings = RunSettings()
    needed = (
        (GATEWAY_SECRET, settings.gateway_secret, settings.gateway_secret_file),
        (ERASURE_KEY, settings.erasure_key, settings.erasure_key_file),
    )
    for name, value, file in needed:
        yield _needed(name, value, file, settings.data_dir)
    for name in PAIRS:
        if os.environ.get(f"LEOCDP_{name}") and os.environ.get(f"LEOCDP_{name}_FILE"):
            say = f"LEOCDP_{name} and LEOCDP_{name}_FILE are both set, and the file counts: unset one of them"
            yield Finding("settings", False, say)
    yield from _unused()


def _needed(name: str, value: SecretStr | None, file: Path | None, data_dir: Path) -> Finding:
    setting, what = f"LEOCDP_{name.upper()}", f"secret {name} in use"
    made = data_dir / "secrets" / name
    try:
        secret = read_secret(value, file or (made if value is None and made.exists() else None))
    except (OSError, ValueError) as error:
        return Finding(what, False, f"{setting}_FILE cannot be read: {error}")
    if secret is None:
        return Finding(
            what, True, f"not set: `leocdp run` makes one; services that are started otherwise need {setting}"
        )
    if len(secret.get_secret_value()) < SHORTEST_SECRET:
        say = f"{setting} has less than {SHORTEST_SECRET} characters: `openssl rand -hex 32` makes a good one"
        return Finding(what, False, say)
    return Finding(what, True, "long enough; it must be the same for all services")


def _unused() -> Iterator[Finding]:
    """Passwords without a user: somebody expects to be let in with them."""
    settings = stores.StoresSettings()
    given = (
        ("LOG", settings.log_url, settings.log_password or settings.log_password_file),
        ("STORE", settings.store_url, settings.store_password or settings.store_password_file),
    )
    for name, url, password in given:
        if password and "@" not in url:
            say = f"LEOCDP_{name}_PASSWORD is set and LEOCDP_{name}_URL names no user: put user@ before the host"
            yield Finding("settings", False, say)
