"""What is known of a cluster: the objects that are there, and those that should be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from leocdp_cli.failure import CommandFailed
from leocdp_cli.kubernetes.kubectl import Denied, Document, Kubectl

ROLE: Final = "leocdp.io/role"
SERVERS: Final[Mapping[str, Mapping[str, int]]] = {
    "tier-5": {"observer": 2, "database": 1, "processor": 1, "admin": 1},
    "tier-10": {"observer": 4, "database": 2, "processor": 2, "admin": 2},
}
"""How many servers of a role each tier has. Source: deploy/k8s/README.md."""
OVERLAYS: Final = Path("deploy/k8s/overlays")
METRICS: Final = "v1beta1.metrics.k8s.io"
OPERATORS: Final[Mapping[str, str]] = {
    "ScaledObject": "scaledobjects.keda.sh",
    "TriggerAuthentication": "triggerauthentications.keda.sh",
    "PodMonitor": "podmonitors.monitoring.coreos.com",
    "PrometheusRule": "prometheusrules.monitoring.coreos.com",
}
"""Kinds that a cluster has by an operator, and the definition of each."""
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "nodes": (),
    "storageclasses": (),
    "ingressclasses": (),
    "apiservices": (METRICS,),
    "customresourcedefinitions": tuple(OPERATORS.values()),
    "secrets": (),
    "deployments": (),
    "statefulsets": (),
    "jobs": (),
    "cronjobs": (),
    "pods": (),
    "events": (),
    "persistentvolumeclaims": (),
    "horizontalpodautoscalers": (),
    "ingresses": (),
    "scaledobjects": (),
}
"""What is read, as kubectl names it, and which of it."""
LIVE: Final = (
    "deployments",
    "statefulsets",
    "jobs",
    "cronjobs",
    "horizontalpodautoscalers",
    "ingresses",
    "scaledobjects",
)


@dataclass(frozen=True, slots=True)
class Cluster:
    namespace: str
    found: Mapping[str, Sequence[Document]]
    """By the names of ``KINDS``."""
    denied: Mapping[str, str] = field(default_factory=dict)
    """What could not be read, and kubectl's words."""
    overlay: Sequence[Document] = ()
    """What the overlay renders to, where it was given and is on this machine."""
    tier: str = ""
    """Empty where nobody can tell."""
    folder: str = "deploy/k8s/overlays/tier-5"
    """For sentences that say what to apply."""

    def of(self, kind: str) -> Sequence[Document]:
        return self.found.get(kind, ())

    @property
    def wanted(self) -> Sequence[Document]:
        """What has to work: the overlay, or without it what was applied."""
        return self.overlay or [each for kind in LIVE for each in self.of(kind)]

    def run(self, words: str) -> str:
        """A command to show."""
        return f"`kubectl -n {self.namespace} {words}`"


def read(kubectl: Kubectl, overlay: str) -> Cluster:
    """``overlay``: a tier, a folder, or empty. Raises CommandFailed when there is nobody to ask."""
    folder = _folder(overlay)
    rendered = kubectl.rendered(folder) if folder else []
    found: dict[str, list[Document]] = {}
    denied: dict[str, str] = {}
    for kind, names in KINDS.items():
        try:
            found[kind] = kubectl.get(kind, *names)
        except Denied as refused:
            denied[kind] = str(refused)
    tier = overlay if overlay in SERVERS else tier_of(rendered or found.get("statefulsets", []))
    shown = str(folder or OVERLAYS / (tier or "tier-5"))
    return Cluster(kubectl.namespace, found, denied, rendered, tier, shown)


def _folder(overlay: str) -> Path | None:
    """A tier is known by its name too, where this runs away from the manifests."""
    if not overlay:
        return None
    folder = OVERLAYS / overlay if overlay in SERVERS else Path(overlay)
    if (folder / "kustomization.yaml").is_file():
        return folder
    if overlay not in SERVERS:
        raise CommandFailed(f"{overlay} is neither {' nor '.join(SERVERS)} nor a folder with a kustomization.yaml.", 2)
    return None


def tier_of(documents: Sequence[Document]) -> str:
    names = {name(each) for each in documents if each.get("kind") == "StatefulSet"}
    if "arangodb-dbserver" in names:
        return "tier-10"
    return "tier-5" if "arangodb" in names else ""


def name(document: Document) -> str:
    return str(document["metadata"]["name"])


def pod_of(workload: Document) -> Mapping[str, Any] | None:
    """The pod that a workload makes, as its specification."""
    spec = workload.get("spec", {})
    if workload.get("kind") == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    template: Mapping[str, Any] = spec.get("template", {})
    return template.get("spec")


def pods_of(documents: Sequence[Document]) -> Iterator[tuple[Document, Mapping[str, Any]]]:
    """Each workload with its pod."""
    for each in documents:
        pod = pod_of(each)
        if pod is not None:
            yield each, pod


def containers(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*pod.get("initContainers", []), *pod.get("containers", [])]


def condition(document: Document, kind: str) -> Mapping[str, Any]:
    """Empty where the object does not have it."""
    for each in document.get("status", {}).get("conditions") or []:
        if each["type"] == kind:
            found: Mapping[str, Any] = each
            return found
    return {}


def said_of(cluster: Cluster, kind: str, named: str, *reasons: str) -> str:
    """The latest warning about an object, in the cluster's words; of these reasons, or of any."""
    warnings = [
        each
        for each in cluster.of("events")
        if each.get("type") == "Warning"
        and (each["involvedObject"].get("kind"), each["involvedObject"].get("name")) == (kind, named)
        and (not reasons or each.get("reason") in reasons)
    ]
    latest = max(warnings, key=_when, default=None)
    return "" if latest is None else " ".join(str(latest.get("message", "")).split())


def _when(event: Document) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
