"""Kubernetes manifests as they are applied: rendered by kubectl, and what stands in them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.architecture.project import ROOT

K8S = ROOT / "deploy" / "k8s"
TIERS = ("tier-5", "tier-10")
Manifest = dict[str, Any]
PODS = ("Deployment", "StatefulSet", "Job", "CronJob")
NAME = "app.kubernetes.io/name"


@cache
def rendered(folder: Path) -> tuple[Manifest, ...]:
    """What ``kubectl apply -k`` would apply. Raises AssertionError with kubectl's words."""
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tuple(each for each in yaml.safe_load_all(done.stdout) if each)


def overlay(tier: str) -> tuple[Manifest, ...]:
    return rendered(K8S / "overlays" / tier)


def secrets(folder: Path) -> tuple[Manifest, ...]:
    """What the script makes, run where there is no cluster."""
    done = subprocess.run(
        [str(K8S / "make-secrets"), "--again", "owner@example.com"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(manifests: Sequence[Manifest], *kinds: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in kinds]


def named(manifests: Sequence[Manifest], kind: str, name: str) -> Manifest:
    found = [each for each in of_kind(manifests, kind) if each["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} × {kind} {name}"
    return found[0]


@dataclass(frozen=True)
class Workload:
    """What runs pods, and one of its pods."""

    kind: str
    name: str
    replicas: int
    pod: Mapping[str, Any]
    labels: Mapping[str, str]
    claims: Sequence[Mapping[str, Any]]

    @property
    def app(self) -> str:
        return self.labels[NAME]

    @property
    def containers(self) -> list[dict[str, Any]]:
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    def environment(self, container: Mapping[str, Any], manifests: Sequence[Manifest]) -> dict[str, str | None]:
        """Name → value; None for what comes from a Secret or from the pod itself."""
        found: dict[str, str | None] = {}
        for source in container.get("envFrom", []):
            found |= named(manifests, "ConfigMap", source["configMapRef"]["name"])["data"]
        for entry in container.get("env", []):
            found[entry["name"]] = entry.get("value") or _referred(entry, manifests)
        return found


def _referred(entry: Mapping[str, Any], manifests: Sequence[Manifest]) -> str | None:
    key = entry.get("valueFrom", {}).get("configMapKeyRef")
    if key is None:
        return None
    value: str = named(manifests, "ConfigMap", key["name"])["data"][key["key"]]
    return value


def workloads(manifests: Sequence[Manifest]) -> Iterator[Workload]:
    """With as many replicas as their scaler may make of them."""
    most = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"]["maxReplicas"]
        for each in of_kind(manifests, "HorizontalPodAutoscaler")
    }
    for each in of_kind(manifests, *PODS):
        spec = each["spec"]["jobTemplate"]["spec"] if each["kind"] == "CronJob" else each["spec"]
        template = spec["template"]
        name = each["metadata"]["name"]
        yield Workload(
            kind=each["kind"],
            name=name,
            replicas=most.get(name, spec.get("replicas", 1)),
            pod=template["spec"],
            labels=template["metadata"]["labels"],
            claims=spec.get("volumeClaimTemplates", []),
        )
