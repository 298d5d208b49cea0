"""Names of Kafka's nodes: what a node advertises is found from every namespace, and is what everybody is told.

The names are those that the cluster's DNS makes of the StatefulSet and its headless Service. A name that ends in `svc`
is found from any pod, by the search list that each has, whatever the domain of the cluster is.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.cluster import TIERS, Manifest, named, of_kind, overlay
from tests.deploy.variants import variant, with_keda

pytestmark = pytest.mark.needs("kubectl")


def published(manifests: Sequence[Manifest]) -> set[str]:
    """POD.SERVICE.NAMESPACE.svc of each node, as the cluster's DNS has them, also of one that is not ready yet."""
    nodes = named(manifests, "StatefulSet", "kafka")
    service = named(manifests, "Service", nodes["spec"]["serviceName"])
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert service["metadata"]["namespace"] == nodes["metadata"]["namespace"]
    own = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc"
    return {f"kafka-{number}.{own}" for number in range(nodes["spec"]["replicas"])}


def advertised(manifests: Sequence[Manifest], folder: Path) -> set[str]:
    """What each node says of itself: its own command, run with a script that tells what it was given."""
    nodes = named(manifests, "StatefulSet", "kafka")
    (container,) = nodes["spec"]["template"]["spec"]["containers"]
    told = folder / "told.sh"
    told.write_text('echo "$NODE_ID $ADVERTISED"\n', encoding="utf-8")
    (command,) = container["args"]
    assert "/start/start.sh" in command
    found = {}
    for number in range(nodes["spec"]["replicas"]):
        environment = {"PATH": "/usr/bin:/bin", "HOSTNAME": f"kafka-{number}", **_of_the_pod(container, nodes)}
        done = subprocess.run(
            [*container["command"], command.replace("/start/start.sh", str(told))],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        identity, name = done.stdout.split()
        found[int(identity)] = name
    voters = next(entry["value"] for entry in container["env"] if entry["name"] == "VOTERS")
    assert set(found) == {int(each) for each in re.findall(r"(\d+)@", voters)}
    return set(found.values())


def _of_the_pod(container: dict[str, Any], nodes: Manifest) -> dict[str, str]:
    """Variables that Kubernetes takes from the pod itself."""
    fields = {"metadata.namespace": nodes["metadata"]["namespace"]}
    return {
        entry["name"]: fields[entry["valueFrom"]["fieldRef"]["fieldPath"]]
        for entry in container["env"]
        if "fieldRef" in entry.get("valueFrom", {})
    }


def bootstrap(manifests: Sequence[Manifest]) -> list[str]:
    """Where KEDA asks first."""
    (scaler,) = of_kind(manifests, "ScaledObject")
    (trigger,) = scaler["spec"]["triggers"]
    addresses: str = trigger["metadata"]["bootstrapServers"]
    return addresses.split(",")


@pytest.mark.parametrize("tier", TIERS)
def test_nodes_advertise_names_that_are_found_from_every_namespace(tier: str, tmp_path: Path) -> None:
    manifests = overlay(tier)
    assert advertised(manifests, tmp_path) == published(manifests)


@pytest.mark.parametrize("tier", TIERS)
def test_in_another_namespace_everybody_is_told_its_names(tier: str, tmp_path: Path) -> None:
    manifests = variant(tmp_path, tier, with_keda(tier), namespace="people")
    names = published(manifests)
    assert names == {f"kafka-{number}.kafka-nodes.people.svc" for number in range(3)}
    assert advertised(manifests, tmp_path) == names
    assert set(bootstrap(manifests)) == {f"{name}:9092" for name in names}
    assert {each["metadata"]["namespace"] for each in of_kind(manifests, "ScaledObject", "NetworkPolicy")} == {"people"}


@pytest.mark.parametrize("tier", TIERS)
def test_services_and_controllers_find_the_nodes_from_their_own_namespace(tier: str) -> None:
    manifests = overlay(tier)
    url = named(manifests, "ConfigMap", "leocdp-log")["data"]["LEOCDP_LOG_URL"]
    (container,) = named(manifests, "StatefulSet", "kafka")["spec"]["template"]["spec"]["containers"]
    voters = next(entry["value"] for entry in container["env"] if entry["name"] == "VOTERS")
    for told, port in ((url, "9092"), (voters, "9093")):
        hosts = re.findall(rf"([a-z0-9.-]+):{port}", told)
        assert {f"{host}.leocdp.svc" for host in hosts} == published(manifests)


@pytest.mark.parametrize("tier", TIERS)
def test_keda_may_ask_the_nodes_and_nobody_else_of_its_namespace(tier: str, tmp_path: Path) -> None:
    manifests = variant(tmp_path, tier, with_keda(tier))
    assert set(bootstrap(manifests)) == {f"{name}:9092" for name in published(manifests)}
    policy = named(manifests, "NetworkPolicy", "keda-operator")["spec"]
    nodes = named(manifests, "StatefulSet", "kafka")["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= nodes.items()
    (rule,) = policy["ingress"]
    assert rule["ports"] == [{"port": 9092}]
    assert rule["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}},
            "podSelector": {"matchLabels": {"app": "keda-operator"}},
        }
    ]
