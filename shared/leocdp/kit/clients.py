"""Who is calling, when there may be proxies in between: forwarding headers count from trusted proxies only."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

MAX_FORWARDED: Final = 2_048
MAX_KNOWN: Final = 10_000


class Clients:
    """Networks (``10.0.0.0/8, 127.0.0.1``) whose forwarding headers are believed.

    Raises:
        ValueError: one of them is no network.
    """

    def __init__(self, networks: str) -> None:
        self._networks = [ip_network(one.strip(), strict=False) for one in networks.split(",") if one.strip()]
        self._known: dict[str, bool] = {}

    def trusts(self, host: str) -> bool:
        """Whether an address belongs to a trusted proxy."""
        known = self._known.get(host)
        if known is None:
            if len(self._known) > MAX_KNOWN:
                self._known.clear()
            known = self._known[host] = self._trusts(host)
        return known

    def _trusts(self, host: str) -> bool:
        address = parse_address(host)
        return address is not None and any(address in network for network in self._networks)

    def address(self, peer: str, forwarded: bytes | None) -> str:
        """The client's address: the last one in X-Forwarded-For that is no proxy of ours, else the peer's."""
        if not forwarded or len(forwarded) > MAX_FORWARDED or not self.trusts(peer):
            return peer
        client = peer
        for part in reversed(forwarded.decode("latin-1").split(",")):
            address = parse_address(_without_port(part.strip()))
            if address is None:
                break
            client = str(address)
            if not self.trusts(client):
                break
        return client


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
