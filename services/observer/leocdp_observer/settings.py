"""All that can be set about the observer."""

from __future__ import annotations

from pydantic import Field

from leocdp.kit.settings import LogSettings, ServiceSettings


class ObserverSettings(ServiceSettings, LogSettings):
    observer_port: int = Field(default=8080, ge=0, le=65535, description="Port of event collection.")
    observer_rate_limit: int = Field(
        default=5_000,
        ge=0,
        description="Requests per second that one write key may send to one observer; 0 is no limit.",
    )
    observer_body_timeout: float = Field(
        default=15.0,
        gt=0,
        description="Seconds that a client may take to send a request's body, once its head is here.",
    )
    observer_head_timeout: float = Field(
        default=10.0, gt=0, description="Seconds that a client may take to send a request's line and headers."
    )
    observer_max_waiting_bytes: int = Field(
        default=64 * 1_048_576,
        ge=1_048_576,
        description="Bytes of accepted items that may wait for the event log; beyond that requests are answered 503.",
    )
    observer_trusted_proxies: str = Field(
        default="127.0.0.0/8,::1/128",
        description="Networks, comma-separated, whose X-Forwarded-For, -Proto and -Host headers are believed.",
    )
    observer_public_url: str = Field(
        default="",
        description="Address under which clients reach the observer, such as `https://events.example.com`; "
        "default: taken from each request.",
    )
