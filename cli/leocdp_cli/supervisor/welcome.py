"""The one block that ``leocdp run`` prints when everything is ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from leocdp.kit.settings import read_secret
from leocdp_cli.connection import connect_locally
from leocdp_cli.failure import CommandFailed

QUICKSTART = "quickstart"


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the block tells. Empty: left out."""

    version: str
    data: str
    gateway: str
    observer: str
    login_link: str = ""
    write_key: str = ""

    def render(self) -> str:
        lines = [
            f"LEO CDP {self.version} is running. Data: {self.data}",
            "",
            f"  User interface   {self.gateway}/",
            f"  JSON API         {self.gateway}/api/v1   (documented at {self.gateway}/api/docs)",
            f"  Events go to     {self.observer}",
        ]
        if self.login_link:
            lines.append(f"  First login      {self.login_link}")
            lines.append(
                "                   (works once, for 30 minutes; later: leocdp user invite EMAIL --role owner)"
            )
        if self.write_key:
            lines += [f"  Write key        {self.write_key}", "", "Send a first event:", "", *self._curl()]
        rule = "─" * 78
        return "\n".join(["", rule, *lines, "", "Ctrl-C stops all services.", rule, ""])

    def _curl(self) -> list[str]:
        event = '{"userId": "u-1", "traits": {"name": "Nguyễn Thị Lan", "email": "lan@example.vn"}}'
        return [
            f"  curl -u {self.write_key}: {self.observer}/v1/identify \\",
            "    -H 'Content-Type: application/json' \\",
            f"    -d '{event}'",
        ]


def take_login_link(file: str | None) -> str:
    """The link that admin left in ``file``; read once, then the file goes. Empty when there is an owner already."""
    path = Path(file) if file else None
    if path is None or not path.exists():
        return ""
    link = path.read_text(encoding="utf-8").strip()
    path.unlink()
    return link


def quickstart_key(admin_url: str, environment: Mapping[str, str]) -> str:
    """The write key of ``quickstart`` as it is now; empty when somebody has disabled or deleted that source."""
    given = environment.get("LEOCDP_GATEWAY_SECRET")
    file = environment.get("LEOCDP_GATEWAY_SECRET_FILE")
    secret = read_secret(SecretStr(given) if given else None, Path(file) if file else None)
    try:
        sources = connect_locally(admin_url, secret.get_secret_value() if secret else "").every("/sources")
    except CommandFailed:
        return ""
    keys = [str(each["write_key"]) for each in sources if each["name"] == QUICKSTART and each["enabled"]]
    return keys[0] if keys else ""
