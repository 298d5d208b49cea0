"""Whether the services of this machine are ready, and why not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

from leocdp_cli.diagnosis.finding import Finding
from leocdp_cli.supervisor.readiness import base_url, wait_all
from leocdp_cli.supervisor.services import START_ORDER
from leocdp_cli.supervisor.settings import RunSettings

FIRST_WAIT: Final = 2.0
"""Seconds in which a service must answer."""


def services() -> Iterator[Finding]:
    settings = RunSettings()
    urls = [base_url(settings.host, settings.port(each.name)) for each in START_ORDER]
    answers = asyncio.run(wait_all(urls, FIRST_WAIT))
    for service, url, answer in zip(START_ORDER, urls, answers, strict=True):
        yield Finding(service.name, answer.ready, f"{url} {'is ready' if answer.ready else ' '.join(answer.reasons)}")
