"""The manifests of both tiers: they render, are valid, and everything that they name is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from pydantic_settings import BaseSettings

from leocdp_admin.settings import AdminSettings
from leocdp_cli.databases import DatabaseSettings
from leocdp_cli.stores import StoresSettings
from leocdp_gateway.settings import GatewaySettings
from leocdp_observer.settings import ObserverSettings
from leocdp_processor.settings import ProcessorSettings
from tests.deploy.cluster import (
    K8S,
    PODS,
    TIERS,
    Manifest,
    Workload,
    of_kind,
    overlay,
    rendered,
    secrets,
    workloads,
)

pytestmark = pytest.mark.needs("kubectl")

VERSION = "1.32"
OTHERS = {"keda.sh", "monitoring.coreos.com"}
"""Groups of kinds that the cluster has by an operator; the base and the tiers use none of them."""
SETTINGS: dict[str, tuple[type[BaseSettings], ...]] = {
    "leocdp/observer": (ObserverSettings,),
    "leocdp/processor": (ProcessorSettings,),
    "leocdp/admin": (AdminSettings,),
    "leocdp/gateway": (GatewaySettings,),
    "leocdp/tools": (StoresSettings, DatabaseSettings),
}


@pytest.fixture(params=TIERS)
def manifests(request: pytest.FixtureRequest) -> tuple[Manifest, ...]:
    return overlay(request.param)


def components() -> list[str]:
    return sorted(file.parent.name for file in (K8S / "components").glob("*/kustomization.yaml"))


@pytest.mark.parametrize("component", components())
def test_each_component_renders_beside_the_base(component: str, tmp_path: Path) -> None:
    tree = tmp_path / "k8s"
    shutil.copytree(K8S, tree)
    wanted = {"resources": ["../base"], "components": [f"../components/{component}"]}
    (tree / "tried").mkdir()
    (tree / "tried" / "kustomization.yaml").write_text(yaml.safe_dump(wanted), encoding="utf-8")
    done = subprocess.run(["kubectl", "kustomize", str(tree / "tried")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list(yaml.safe_load_all(done.stdout))) > len(rendered(K8S / "base"))


def test_every_object_is_valid(manifests: tuple[Manifest, ...], tmp_path: Path) -> None:
    for each in (*manifests, *secrets(tmp_path)):
        kubernetes_validate.validate(each, VERSION, strict=True)


def test_no_object_is_there_twice_and_all_are_in_the_namespace(manifests: tuple[Manifest, ...]) -> None:
    keys = [(each["kind"], each["metadata"]["name"]) for each in manifests]
    assert len(keys) == len(set(keys))
    of_the_cluster = {"Namespace", "PriorityClass"}
    assert {each["metadata"].get("namespace") for each in manifests if each["kind"] not in of_the_cluster} == {"leocdp"}


def test_images_are_pinned(manifests: tuple[Manifest, ...]) -> None:
    for load in workloads(manifests):
        for container in load.containers:
            assert re.search(r":[0-9]+\.[0-9]+\.[0-9]+(@sha256:[0-9a-f]{64})?$", container["image"]), container["image"]


def test_pods_may_do_no_more_than_they_need(manifests: tuple[Manifest, ...]) -> None:
    for load in workloads(manifests):
        assert load.pod["automountServiceAccountToken"] is False
        assert load.pod["enableServiceLinks"] is False
        context = load.pod["securityContext"]
        assert context["runAsNonRoot"]
        assert context["runAsUser"] >= 1000, load.name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in load.containers:
            own = container["securityContext"]
            assert own["readOnlyRootFilesystem"]
            assert own["allowPrivilegeEscalation"] is False
            assert own["capabilities"] == {"drop": ["ALL"]}
            resources = container["resources"]
            for amount in ("cpu", "memory", "ephemeral-storage"):
                assert amount in resources["requests"], (load.name, amount)
                assert amount in resources["limits"], (load.name, amount)


def test_services_are_asked_whether_they_are_well(manifests: tuple[Manifest, ...]) -> None:
    for load in workloads(manifests):
        if load.kind in ("Deployment", "StatefulSet"):
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                assert probe in load.pod["containers"][0], (load.name, probe)


def test_pods_have_longer_to_end_than_their_services(manifests: tuple[Manifest, ...]) -> None:
    for load in workloads(manifests):
        for container in load.pod["containers"]:
            grace = load.environment(container, manifests).get("LEOCDP_SHUTDOWN_GRACE")
            if grace is not None:
                before = 5 if "lifecycle" in container else 0
                assert load.pod["terminationGracePeriodSeconds"] >= float(grace) + before + 5, load.name


def test_every_variable_is_a_setting_with_a_value_that_does(
    manifests: tuple[Manifest, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for load in workloads(manifests):
        for container in load.containers:
            kinds = SETTINGS.get(container["image"].partition(":")[0], ())
            found = load.environment(container, manifests)
            ours = {name: value for name, value in found.items() if name.startswith("LEOCDP_")}
            known = {f"LEOCDP_{field}".upper() for kind in kinds for field in kind.model_fields}
            assert ours.keys() <= known, (load.name, sorted(ours.keys() - known))
            _build(kinds, ours, monkeypatch, tmp_path)


def _build(
    kinds: tuple[type[BaseSettings], ...],
    values: dict[str, str | None],
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
) -> None:
    secret = folder / "secret"
    secret.write_text("a secret of thirty-two characters", encoding="utf-8")
    with monkeypatch.context() as patched:
        for name, value in values.items():
            is_file = name.endswith("_FILE")
            patched.setenv(name, str(secret) if is_file else "name@example.com" if value is None else value)
        for kind in kinds:
            kind()


def test_every_reference_resolves(manifests: tuple[Manifest, ...], tmp_path: Path) -> None:
    there = {(each["kind"], each["metadata"]["name"]): each for each in (*manifests, *secrets(tmp_path))}
    for load in workloads(manifests):
        assert ("ServiceAccount", load.pod["serviceAccountName"]) in there
        assert ("PriorityClass", load.pod["priorityClassName"]) in there
        for volume in load.pod["volumes"]:
            _check_volume(load, volume, there)
        mounted = {volume["name"] for volume in load.pod["volumes"]} | {
            claim["metadata"]["name"] for claim in load.claims
        }
        for container in load.containers:
            assert {mount["name"] for mount in container["volumeMounts"]} <= mounted, load.name
            for entry in container.get("env", []):
                _check_key(entry.get("valueFrom", {}), there)


def _check_volume(load: Workload, volume: dict[str, Any], there: dict[tuple[str, str], Manifest]) -> None:
    if "secret" in volume:
        found = there["Secret", volume["secret"]["secretName"]]["stringData"]
        assert {item["key"] for item in volume["secret"].get("items", [])} <= found.keys(), load.name
    if "configMap" in volume:
        assert ("ConfigMap", volume["configMap"]["name"]) in there
    if "persistentVolumeClaim" in volume:
        assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in there


def _check_key(source: dict[str, Any], there: dict[tuple[str, str], Manifest]) -> None:
    if "secretKeyRef" in source:
        assert source["secretKeyRef"]["key"] in there["Secret", source["secretKeyRef"]["name"]]["stringData"]
    if "configMapKeyRef" in source:
        assert source["configMapKeyRef"]["key"] in there["ConfigMap", source["configMapKeyRef"]["name"]]["data"]


def test_files_of_secrets_are_where_settings_look_for_them(manifests: tuple[Manifest, ...], tmp_path: Path) -> None:
    made = {each["metadata"]["name"]: each["stringData"] for each in secrets(tmp_path) if each["kind"] == "Secret"}
    for load in workloads(manifests):
        volumes = {volume["name"]: volume for volume in load.pod["volumes"]}
        for container in load.containers:
            files = set()
            for mount in container["volumeMounts"]:
                secret = volumes.get(mount["name"], {}).get("secret")
                if secret is not None:
                    items = secret.get("items") or [{"path": key} for key in made[secret["secretName"]]]
                    files |= {f"{mount['mountPath']}/{item['path']}" for item in items}
            named = {
                value
                for name, value in load.environment(container, manifests).items()
                if name.startswith("LEOCDP_") and name.endswith("_FILE") and value
            }
            assert named <= files, (load.name, container["name"], sorted(named - files))


def test_selectors_and_ports_find_what_they_mean(manifests: tuple[Manifest, ...]) -> None:
    pods = list(workloads(manifests))
    for service in of_kind(manifests, "Service"):
        wanted = service["spec"]["selector"]
        found = [load for load in pods if wanted.items() <= load.labels.items()]
        assert found, service["metadata"]["name"]
        ports = {port["name"] for load in found for each in load.containers for port in each.get("ports", [])}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports, service["metadata"]["name"]
    for budget in of_kind(manifests, "PodDisruptionBudget"):
        assert any(budget["spec"]["selector"]["matchLabels"].items() <= load.labels.items() for load in pods)
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        assert any((load.kind, load.name) == (target["kind"], target["name"]) for load in pods)
    for each in of_kind(manifests, *PODS):
        if each["kind"] == "StatefulSet":
            assert any(each["spec"]["serviceName"] == one["metadata"]["name"] for one in of_kind(manifests, "Service"))


def test_ingresses_lead_to_services_at_the_addresses_that_people_are_told(manifests: tuple[Manifest, ...]) -> None:
    addresses = next(each for each in of_kind(manifests, "ConfigMap") if each["metadata"]["name"] == "leocdp-addresses")
    told = {value.removeprefix("https://") for value in addresses["data"].values()}
    hosts = set()
    services = {each["metadata"]["name"]: each for each in of_kind(manifests, "Service")}
    for ingress in of_kind(manifests, "Ingress"):
        (rule,) = ingress["spec"]["rules"]
        assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]
        hosts.add(rule["host"])
        backend = rule["http"]["paths"][0]["backend"]["service"]
        ports = {port["name"] for port in services[backend["name"]]["spec"]["ports"]}
        assert backend["port"]["name"] in ports
    assert hosts == told


def test_status_asks_every_processor_that_there_may_be(manifests: tuple[Manifest, ...]) -> None:
    loads = {load.name: load for load in workloads(manifests)}
    admin = loads["admin"]
    value = admin.environment(admin.pod["containers"][0], manifests)["LEOCDP_STATUS_PROCESSOR_URLS"]
    assert value is not None
    assert len(value.split(",")) == loads["processor"].replicas


def test_no_more_processors_than_partitions_and_one_name_each(manifests: tuple[Manifest, ...]) -> None:
    processor = next(load for load in workloads(manifests) if load.name == "processor")
    assert processor.kind == "StatefulSet"
    assert processor.replicas <= 24
    member = [entry for entry in processor.pod["containers"][0]["env"] if entry["name"] == "LEOCDP_LOG_MEMBER"]
    assert member[0]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
