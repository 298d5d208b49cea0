"""The settings documents that browser SDKs ask for before they send anything: what makes them send to this observer."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from leocdp.contracts.config_entries import SourceConfig

HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
WRITE_KEY: Final = re.compile(r"[A-Za-z0-9._~-]{1,128}")


def base_url(scheme: str, host: str) -> str:
    """``scheme://host`` of a request. Raises ValueError when the host could not stand in an address."""
    if scheme not in ("http", "https") or not HOST.fullmatch(host):
        raise ValueError("the Host header is not a host")
    return f"{scheme}://{host}"


def segment_settings(write_key: str, base: str) -> dict[str, Any]:
    """What Segment's SDKs read. One integration only: a second makes the browser SDK load the legacy bundle.

    ``apiHost`` and ``protocol`` in here are why a site has to change no more than its ``cdnURL``.
    """
    address = urlsplit(base)
    allowed = {"__default": {"enabled": True, "integrations": {}}}
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": write_key,
                "apiHost": f"{address.netloc}{address.path.rstrip('/')}/v1",
                "protocol": address.scheme,
                "addBundledMetadata": True,
                "unbundledIntegrations": [],
                "maybeBundledConfigIds": {},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": {
            "track": allowed,
            "identify": {"__default": {"enabled": True}},
            "group": {"__default": {"enabled": True}},
        },
        "edgeFunction": {},
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
        "analyticsNextEnabled": True,
    }


def rudder_source_config(source: SourceConfig) -> dict[str, Any]:
    """What RudderStack's browser SDK reads: a source without destinations, whose SDK reports nothing about itself."""
    return {
        "source": {
            "id": source.id,
            "name": source.name,
            "writeKey": source.write_key,
            "enabled": source.enabled,
            "workspaceId": "leocdp",
            "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
            "destinations": [],
            "connections": [],
            "dataplanes": {},
        }
    }
