"""Who is calling: the client's address, believed only from trusted proxies, and as much of it as a policy keeps."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

MAX_USER_AGENT: Final = 512
MAX_FORWARDED: Final = 2_048


class Clients:
    """Reads forwarding headers of the networks it trusts. Raises ValueError for a network that is none."""

    def __init__(self, trusted: str) -> None:
        self._networks = [ip_network(one.strip(), strict=False) for one in trusted.split(",") if one.strip()]
        self._known: dict[str, bool] = {}

    def trusts(self, host: str) -> bool:
        """Whether an address belongs to a trusted proxy."""
        known = self._known.get(host)
        if known is None:
            if len(self._known) > 10_000:
                self._known.clear()
            known = self._known[host] = self._trusts(host)
        return known

    def _trusts(self, host: str) -> bool:
        address = _address(host)
        return address is not None and any(address in network for network in self._networks)

    def address(self, peer: str, forwarded: bytes | None) -> str:
        """The client's address: the last one in X-Forwarded-For that is no proxy of ours, else the peer's."""
        if not forwarded or len(forwarded) > MAX_FORWARDED or not self.trusts(peer):
            return peer
        client = peer
        for part in reversed(forwarded.decode("latin-1").split(",")):
            address = _address(_without_port(part.strip()))
            if address is None:
                break
            client = str(address)
            if not self.trusts(client):
                break
        return client


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


@lru_cache(maxsize=16_384)
def shorten(address: str) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6. Empty for what is no address."""
    known = _address(address)
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
