"""A cluster that is whole and healthy, as documents in the API's shapes, and a kubectl that serves them.

The objects are those that an overlay renders to, with what a cluster adds: states, pods, servers. A test takes
something away or breaks it.
"""

from __future__ import annotations

import base64
import copy
import json
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from leocdp_cli.kubernetes.cluster import METRICS, SERVERS
from tests.deploy.cluster import K8S, Manifest, of_kind, overlay, secrets

Documents = dict[str, list[Manifest]]
"""By the name of the kind that kubectl is asked for."""
OPERATED = (
    "Deployment",
    "StatefulSet",
    "CronJob",
    "Job",
    "HorizontalPodAutoscaler",
    "Ingress",
    "PersistentVolumeClaim",
)
LONG_AGO = "2026-01-01T00:00:00Z"


@cache
def certificate(days: int) -> dict[str, str]:
    """Of a server, good for so many days from now; negative: it has ended."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cdp.shop.vn")])
    end = datetime.now(UTC) + timedelta(days=days)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=90))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {"tls.crt": encoded(signed.public_bytes(pem)), "tls.key": encoded(secret)}


def encoded(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


@cache
def made() -> tuple[Manifest, ...]:
    """What the script of secrets makes; its values are of no interest, so once is enough."""
    return secrets(K8S)


def healthy(tier: str) -> Documents:
    manifests = copy.deepcopy(overlay(tier))
    found: Documents = {f"{kind.lower()}s": of_kind(manifests, kind) for kind in OPERATED}
    found["ingresses"] = found.pop("ingresss")
    for ingress in found["ingresses"]:
        _move(ingress, "shop.vn")
    found["secrets"] = [_kept(each) for each in made() if each["kind"] == "Secret"]
    for ingress in found["ingresses"]:
        name = ingress["spec"]["tls"][0]["secretName"]
        found["secrets"].append(secret(name, "kubernetes.io/tls", certificate(60)))
    found["nodes"] = [node(role, n) for role, count in SERVERS[tier].items() for n in range(count)]
    found["pods"] = [one for each in (*found["deployments"], *found["statefulsets"]) for one in pods(each)]
    found["persistentvolumeclaims"] = [
        *(each | {"status": {"phase": "Bound"}} for each in found["persistentvolumeclaims"]),
        *(claim for each in found["statefulsets"] for claim in claims(each)),
    ]
    for each in found["jobs"]:
        each["status"] = {"conditions": [state("Complete", "True")], "succeeded": 1}
    for each in found["cronjobs"]:
        each["metadata"]["creationTimestamp"] = LONG_AGO
        each["status"] = {"lastSuccessfulTime": f"{datetime.now(UTC) - timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}"}
    found["events"] = []
    found["storageclasses"] = [storage_class("fast", default=True)]
    found["ingressclasses"] = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": "nginx"},
            "spec": {"controller": "k8s.io/ingress-nginx"},
        }
    ]
    found["apiservices"] = [metrics_server("True")]
    return found


def _move(ingress: Manifest, domain: str) -> None:
    (rule,) = ingress["spec"]["rules"]
    rule["host"] = rule["host"].replace("example.com", domain)
    ingress["spec"]["tls"][0]["hosts"] = [rule["host"]]


def _kept(each: Manifest) -> Manifest:
    """As the API keeps it: values in base64, in another field."""
    values = {key: encoded(value) for key, value in each["stringData"].items()}
    return secret(each["metadata"]["name"], "Opaque", values)


def secret(name: str, kind: str, values: dict[str, str]) -> Manifest:
    meta = {"name": name, "namespace": "leocdp"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": kind, "data": dict(values)}


def state(kind: str, status: str, **more: str) -> dict[str, str]:
    return {"type": kind, "status": status, **more}


def node(role: str, number: int) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"{role}-{number + 1}", "labels": {"leocdp.io/role": role}},
        "spec": {},
        "status": {"conditions": [state("DiskPressure", "False"), state("Ready", "True")]},
    }


def storage_class(name: str, *, default: bool) -> Manifest:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    meta = {"name": name, "annotations": annotations}
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}
    return {**kind, "metadata": meta, "provisioner": "disks.csi"}


def metrics_server(available: str) -> Manifest:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": METRICS},
        "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100},
        "status": {"conditions": [state("Available", available, message="no response from 10.0.0.7")]},
    }


def pods(workload: Manifest) -> list[Manifest]:
    own, spec = workload["metadata"]["name"], workload["spec"]
    workload["status"] = {"replicas": spec["replicas"], "readyReplicas": spec["replicas"]}
    return [_pod(f"{own}-{number}", spec["template"], workload["kind"], own) for number in range(spec["replicas"])]


def _pod(name: str, template: Manifest, kind: str, owner: str) -> Manifest:
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": f"uid-of-{owner}", "controller": True}
    meta = {"name": name, "namespace": "leocdp", "labels": template["metadata"]["labels"]}
    containers = [
        {
            "name": each["name"],
            "image": each["image"],
            "imageID": each["image"],
            "ready": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": LONG_AGO}},
        }
        for each in template["spec"]["containers"]
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**meta, "ownerReferences": [reference]},
        "spec": copy.deepcopy(template["spec"]),
        "status": {
            "phase": "Running",
            "conditions": [state("PodScheduled", "True"), state("Ready", "True")],
            "containerStatuses": containers,
        },
    }


def claims(workload: Manifest) -> list[Manifest]:
    spec, own = workload["spec"], workload["metadata"]["name"]
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": f"{each['metadata']['name']}-{own}-{number}", "namespace": "leocdp"},
            "spec": {**each["spec"], "storageClassName": "fast"},
            "status": {"phase": "Bound"},
        }
        for each in spec.get("volumeClaimTemplates", [])
        for number in range(spec["replicas"])
    ]


def warning(kind: str, name: str, reason: str, message: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{reason.lower()}", "namespace": "leocdp"},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": LONG_AGO,
        "involvedObject": {"kind": kind, "name": name, "namespace": "leocdp"},
    }


SCRIPT = """#!/bin/sh
echo "$*" >> '{folder}/calls'
case $1 in
    kustomize | label) exec '{real}' "$@" ;;
esac
while [ "$1" != get ]; do shift; done
if [ -e '{folder}'/"$2.stderr" ]; then
    cat '{folder}'/"$2.stderr" >&2
    exit 1
fi
[ ! -e '{folder}'/"$2.json" ] || cat '{folder}'/"$2.json"
"""


class StandIn:
    """A kubectl for the PATH. It prints what a real one does: a list, or nothing where names are not found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "cluster"
        self.path = folder / "bin"
        self.folder.mkdir()
        self.path.mkdir()
        program = self.path / "kubectl"
        real = shutil.which("kubectl") or "/nowhere/kubectl"
        program.write_text(SCRIPT.format(folder=self.folder, real=real), encoding="utf-8")
        program.chmod(0o755)

    def serve(self, documents: Documents) -> None:
        for kind, items in documents.items():
            listed = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}
            (self.folder / f"{kind}.json").write_text(json.dumps(listed), encoding="utf-8")

    def refuse(self, kind: str, words: str) -> None:
        (self.folder / f"{kind}.stderr").write_text(words, encoding="utf-8")

    @property
    def calls(self) -> Sequence[list[str]]:
        return [line.split() for line in (self.folder / "calls").read_text(encoding="utf-8").splitlines()]

    @property
    def search(self) -> str:
        return f"{self.path}{os.pathsep}{os.environ['PATH']}"


def find(documents: Documents, kind: str, name: str) -> Any:
    """Raises StopIteration."""
    return next(each for each in documents[kind] if each["metadata"]["name"] == name)


def without(documents: Documents, kind: str, name: str) -> None:
    documents[kind].remove(find(documents, kind, name))
