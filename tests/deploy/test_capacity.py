"""``leocdp capacity`` computes with what the manifests give."""

from __future__ import annotations

from typing import Any

import pytest

from leocdp_cli.capacity import figures
from leocdp_cli.capacity.figures import TIERS, Tier
from tests.deploy.cluster import Manifest, named, of_kind, overlay
from tests.deploy.test_placement import GB, SERVERS, SIZES, quantity

pytestmark = pytest.mark.needs("kubectl")
GIB = 2.0**30


@pytest.fixture(params=TIERS, ids=lambda tier: tier.name)
def tier(request: pytest.FixtureRequest) -> Tier:
    found: Tier = request.param
    return found


@pytest.fixture
def manifests(tier: Tier) -> tuple[Manifest, ...]:
    return overlay(tier.name)


def limits(manifests: tuple[Manifest, ...], kind: str, name: str) -> dict[str, Any]:
    containers = named(manifests, kind, name)["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = containers[0]["resources"]["limits"]
    return found


def most_pods(manifests: tuple[Manifest, ...], name: str) -> int:
    return int(named(manifests, "HorizontalPodAutoscaler", name)["spec"]["maxReplicas"])


def test_servers(tier: Tier) -> None:
    assert tier.roles == SERVERS[tier.name]
    assert {
        role: (size.cpus, size.memory_gb * GB, size.disk_gb * GB) for role, size in figures.SERVERS.items()
    } == SIZES


def test_cpus_and_memory(tier: Tier, manifests: tuple[Manifest, ...]) -> None:
    observer, processor = limits(manifests, "Deployment", "observer"), limits(manifests, "StatefulSet", "processor")
    assert tier.observer_cpus == quantity(observer["cpu"]) * most_pods(manifests, "observer")
    assert tier.processor_cpus == quantity(processor["cpu"]) * most_pods(manifests, "processor")
    found = {"observer": observer, "processor": processor}
    found |= {name: limits(manifests, "Deployment", name) for name in ("admin", "gateway")}
    assert tier.memory == {name: quantity(each["memory"]) / 2**20 for name, each in found.items()}


def test_database(tier: Tier, manifests: tuple[Manifest, ...]) -> None:
    name = "arangodb" if tier.name == "tier-5" else "arangodb-dbserver"
    (container,) = named(manifests, "StatefulSet", name)["spec"]["template"]["spec"]["containers"]
    assert tier.database_cpus == quantity(container["resources"]["limits"]["cpu"])
    assert f"--rocksdb.block-cache-size={int(tier.cache_gib * GIB)}" in container["args"]


def test_disks(tier: Tier, manifests: tuple[Manifest, ...]) -> None:
    claims = [
        (load["metadata"]["name"], quantity(claim["spec"]["resources"]["requests"]["storage"]) / GIB)
        for load in of_kind(manifests, "StatefulSet")
        for claim in load["spec"].get("volumeClaimTemplates", [])
    ]
    assert max(size for name, size in claims if name.startswith("arangodb")) == tier.database_gib
    settings = [each["data"] for each in of_kind(manifests, "ConfigMap") if "LEOCDP_LOG_DISK_GIB" in each["data"]]
    assert [float(each["LEOCDP_LOG_DISK_GIB"]) for each in settings] == [tier.log_gib]
    backup = named(manifests, "PersistentVolumeClaim", "backups")
    assert quantity(backup["spec"]["resources"]["requests"]["storage"]) / GIB == tier.backup_gib
    jobs = named(manifests, "CronJob", "backup")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    environment = {one["name"]: one.get("value") for box in jobs["containers"] for one in box.get("env", [])}
    assert environment["KEEP"] == str(tier.backups)
