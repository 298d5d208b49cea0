"""Who is calling: as much of the client's address as a policy keeps, and its user agent."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network
from typing import Final

from leocdp.kit.clients import parse_address

MAX_USER_AGENT: Final = 512


@lru_cache(maxsize=16_384)
def shorten(address: str) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6. Empty for what is no address."""
    known = parse_address(address)
    if known is None:
        return ""
    return str(ip_network((known, 24 if known.version == 4 else 48), strict=False).network_address)


def kept_address(address: str, policy: str) -> str:
    """As much of an address as a source's ``ip_policy`` keeps."""
    if policy == "keep":
        return address
    return shorten(address) if policy == "shorten" else ""


def user_agent(header: bytes | None) -> str:
    return header[:MAX_USER_AGENT].decode("latin-1") if header else ""
