"""The one block that ``leocdp run`` prints when everything is ready."""

from __future__ import annotations

from dataclasses import dataclass


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
            lines.append(f"  First login      {self.login_link}   (works once, for 30 minutes)")
        if self.write_key:
            lines += [f"  Write key        {self.write_key}", "", "Send a first event:", "", *self._curl()]
        rule = "─" * 78
        return "\n".join(["", rule, *lines, "", "Ctrl-C stops all services.", rule, ""])

    def _curl(self) -> list[str]:
        event = (
            '{"userId": "u-1", "event": "Signed Up", '
            '"context": {"traits": {"name": "Lan", "email": "lan@example.com"}}}'
        )
        return [
            f"  curl -u {self.write_key}: {self.observer}/v1/track \\",
            "    -H 'Content-Type: application/json' \\",
            f"    -d '{event}'",
        ]
