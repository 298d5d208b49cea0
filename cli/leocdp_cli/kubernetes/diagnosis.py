"""Everything that is looked at in a cluster, in the order of the report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from leocdp_cli.diagnosis.finding import Finding
from leocdp_cli.kubernetes.cluster import Cluster, read
from leocdp_cli.kubernetes.images import images
from leocdp_cli.kubernetes.jobs import jobs
from leocdp_cli.kubernetes.kubectl import Kubectl
from leocdp_cli.kubernetes.pods import pods
from leocdp_cli.kubernetes.scaling import scaling
from leocdp_cli.kubernetes.secrets import hosts, secrets
from leocdp_cli.kubernetes.servers import servers
from leocdp_cli.kubernetes.volumes import volumes


def kubernetes(namespace: str, context: str, overlay: str) -> Iterator[Finding]:
    """Raises CommandFailed when there is no kubectl, no cluster, or no such overlay."""
    yield from look(read(Kubectl(namespace, context), overlay), datetime.now(UTC))


def look(cluster: Cluster, now: datetime) -> Iterator[Finding]:
    """What others rest on comes first."""
    for kind, said in cluster.denied.items():
        yield Finding(kind, False, f"you may not read them, so they were not looked at: {said}")
    yield from servers(cluster)
    yield from volumes(cluster)
    yield from secrets(cluster, now)
    yield from hosts(cluster)
    yield from scaling(cluster)
    yield from images(cluster)
    yield from jobs(cluster, now)
    yield from pods(cluster)
