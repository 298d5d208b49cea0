"""Who may connect to whom follows from the settings: each address that a workload is told, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.deploy.cluster import NAME, TIERS, Manifest, Workload, named, of_kind, overlay, workloads

pytestmark = pytest.mark.needs("kubectl")

Edge = tuple[str, str, int]
"""From, to, port."""

OWN: dict[str, set[Edge]] = {
    "arangodb-single": set(),
    "arangodb-cluster": {
        (one, other, port)
        for one in ("arangodb-agent", "arangodb-dbserver", "arangodb-coordinator")
        for other, port in (("arangodb-agent", 8531), ("arangodb-dbserver", 8530), ("arangodb-coordinator", 8529))
    },
}
"""What the members of ArangoDB's cluster say to each other, which no setting of ours names."""
KAFKA = {("kafka", "kafka", port) for port in (9092, 9093, 9094)}


@pytest.fixture(params=TIERS)
def manifests(request: pytest.FixtureRequest) -> tuple[Manifest, ...]:
    return overlay(request.param)


def test_everything_is_denied_by_default(manifests: tuple[Manifest, ...]) -> None:
    policy = named(manifests, "NetworkPolicy", "default-deny")["spec"]
    assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_edges_are_those_of_the_settings(manifests: tuple[Manifest, ...]) -> None:
    loads = list(workloads(manifests))
    there = {load.app for load in loads}
    cluster = "arangodb-agent" in there
    wanted = set(told(loads, manifests)) | KAFKA | (OWN["arangodb-cluster"] if cluster else set())
    for direction in ("ingress", "egress"):
        found = {edge for edge in allowed(manifests, direction) if edge[0] in there and edge[1] in there}
        assert found == wanted, (direction, sorted(found ^ wanted))


def told(loads: list[Workload], manifests: tuple[Manifest, ...]) -> Iterator[Edge]:
    """Each host and port in a variable of a workload, as the workload that its service leads to."""
    services = {each["metadata"]["name"]: each for each in of_kind(manifests, "Service")}
    for load in loads:
        for container in load.containers:
            if not container["image"].startswith("leocdp/"):
                continue
            for name, value in load.environment(container, manifests).items():
                if name in ("LEOCDP_PUBLIC_URL", "LEOCDP_COLLECT_URL"):
                    continue  # For people's links, never called.
                for host, port in re.findall(r"(?<=[/@,])([a-z][a-z0-9.-]*):(\d{2,5})", value or ""):
                    service = services[host.split(".")[-1] if "." in host else host]
                    yield load.app, service["spec"]["selector"][NAME], int(port)


def allowed(manifests: tuple[Manifest, ...], direction: str) -> Iterator[Edge]:
    for policy in of_kind(manifests, "NetworkPolicy"):
        own = policy["spec"]["podSelector"].get("matchLabels", {}).get(NAME)
        for rule in policy["spec"].get(direction, []) if own else []:
            for peer in rule["from" if direction == "ingress" else "to"]:
                other = peer.get("podSelector", {}).get("matchLabels", {}).get(NAME)
                if other is None or "namespaceSelector" in peer:
                    continue
                for port in rule["ports"]:
                    yield (other, own, port["port"]) if direction == "ingress" else (own, other, port["port"])


def test_only_the_doors_are_open_to_other_namespaces(manifests: tuple[Manifest, ...]) -> None:
    found = set()
    for policy in of_kind(manifests, "NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            for peer in rule["from"]:
                if "namespaceSelector" in peer:
                    space = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
                    found |= {(space, policy["metadata"]["name"], port["port"]) for port in rule["ports"]}
    doors = {("ingress-nginx", "observer", 8080), ("ingress-nginx", "gateway", 8000)}
    metrics = {("monitoring", name, port) for name, port in _metrics(manifests)}
    assert found == doors | metrics


def _metrics(manifests: tuple[Manifest, ...]) -> Iterator[tuple[str, int]]:
    """Name and port of pods that say that they have metrics."""
    for each in of_kind(manifests, "Deployment", "StatefulSet"):
        annotations = each["spec"]["template"]["metadata"].get("annotations", {})
        if annotations.get("prometheus.io/scrape") == "true":
            yield each["metadata"]["name"], int(annotations["prometheus.io/port"])
