"""Ports for processes under test, which bind them a moment after they were chosen."""

from __future__ import annotations

from scripts.kafka import free_ports

__all__ = ["free_port", "free_ports"]


def free_port() -> int:
    return free_ports(1)[0]
