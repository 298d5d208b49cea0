"""``leocdp doctor --kubernetes``: a healthy cluster is well, and of each fault it says what is wrong and what to do."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from typer.testing import CliRunner, Result

from leocdp_cli.app import app
from leocdp_cli.failure import CommandFailed
from leocdp_cli.kubernetes.certificate import good_until
from leocdp_cli.kubernetes.cluster import SERVERS
from leocdp_cli.kubernetes.secrets import MADE
from tests.architecture.project import ROOT
from tests.deploy import test_placement
from tests.deploy.cluster import K8S, TIERS, secrets
from tests.deploy.standin_cluster import (
    Documents,
    StandIn,
    certificate,
    encoded,
    find,
    healthy,
    metrics_server,
    state,
    storage_class,
    warning,
    without,
)
from tests.deploy.variants import with_keda

pytestmark = pytest.mark.needs("kubectl")

Break = Callable[[Documents], Any]


@pytest.fixture
def standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    made = StandIn(tmp_path)
    monkeypatch.setenv("PATH", made.search)
    monkeypatch.chdir(tmp_path)
    return made


def doctor(*words: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--kubernetes", *words], env={"COLUMNS": "400"})


def wrongs(*words: str) -> list[str]:
    """What is wrong, a sentence each. Exit status 1 goes with it."""
    result = doctor("--json", *words)
    assert result.exit_code in (0, 1), result.output
    told = json.loads(result.stdout)
    found = [f"{each['what']} {each['say']}" for each in told if not each["good"]]
    assert bool(found) == (result.exit_code == 1)
    return found


@pytest.mark.parametrize("tier", TIERS)
def test_documents_are_of_the_shapes_of_the_api(tier: str) -> None:
    for documents in healthy(tier).values():
        for each in documents:
            kubernetes_validate.validate(each, "1.32", strict=True)
    for each in (storage_class("slow", default=False), warning("Pod", "admin-0", "FailedMount", "no")):
        kubernetes_validate.validate(each, "1.32", strict=True)


@pytest.mark.parametrize("tier", TIERS)
def test_a_whole_cluster_is_well_and_only_read(tier: str, standin: StandIn) -> None:
    standin.serve(healthy(tier))
    result = doctor("--namespace", "leocdp", "--context", "shop")
    assert result.exit_code == 0, result.output
    assert "WRONG" not in result.output
    assert "all" in result.output
    for call in standin.calls:
        assert call[:5] == ["--context", "shop", "-n", "leocdp", "get"]


def waits(documents: Documents, pod: str, why: str, message: str = "", **last: Any) -> None:
    """The first container of a pod waits, for this reason."""
    status = find(documents, "pods", pod)["status"]
    status["conditions"][-1]["status"] = "False"
    first = status["containerStatuses"][0]
    first |= {"ready": False, "restartCount": 7, "state": {"waiting": {"reason": why, "message": message}}}
    if last:
        first["lastState"] = {"terminated": {"finishedAt": "2026-01-01T00:00:00Z", **last}}


def no_server(documents: Documents) -> None:
    status = find(documents, "pods", "processor-1")["status"]
    said = "0/5 nodes are available: 5 node(s) didn't match Pod's node affinity/selector."
    status |= {"phase": "Pending", "conditions": [state("PodScheduled", "False", reason="Unschedulable", message=said)]}
    del status["containerStatuses"]


def not_mounted(documents: Documents) -> None:
    waits(documents, "admin-0", "ContainerCreating")
    documents["events"].append(warning("Pod", "admin-0", "FailedMount", 'secret "leocdp-owner" not found'))


def refused(documents: Documents) -> None:
    find(documents, "deployments", "gateway")["status"]["readyReplicas"] = 0
    without(documents, "pods", "gateway-0")
    documents["events"].append(warning("ReplicaSet", "gateway-6b7f", "FailedCreate", "exceeded quota: small"))


def waiting_volume(documents: Documents) -> None:
    find(documents, "persistentvolumeclaims", "data-kafka-1")["status"]["phase"] = "Pending"
    documents["events"].append(
        warning("PersistentVolumeClaim", "data-kafka-1", "ProvisioningFailed", "no room in pool fast")
    )


def no_default_class(documents: Documents) -> None:
    documents["storageclasses"] = [storage_class("slow", default=False)]
    without(documents, "persistentvolumeclaims", "data-arangodb-0")


def another_class(documents: Documents) -> None:
    without(documents, "persistentvolumeclaims", "data-arangodb-0")
    find(documents, "statefulsets", "arangodb")["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] = "nvme"


def set_condition(kind: str, name: str, *conditions: dict[str, str]) -> Break:
    return lambda documents: find(documents, kind, name)["status"].__setitem__("conditions", list(conditions))


def of_ago(**ago: float) -> str:
    return f"{datetime.now(UTC) - timedelta(**ago):%Y-%m-%dT%H:%M:%SZ}"


FAULTS: dict[str, tuple[Break, list[str]]] = {
    "a label is missing": (
        lambda docs: find(docs, "nodes", "observer-2")["metadata"]["labels"].clear(),
        ["observer servers", "1 of 2", "kubectl label node NAME leocdp.io/role=observer", "Without a role: observer-2"],
    ),
    "a role is misspelt": (
        lambda docs: find(docs, "nodes", "observer-2")["metadata"]["labels"].update({"leocdp.io/role": "obsrver"}),
        ["role obsrver", "observer-2"],
    ),
    "a server is away": (
        set_condition("nodes", "admin-1", state("Ready", "Unknown", message="Kubelet stopped posting node status.")),
        ["server admin-1", "Kubelet stopped posting"],
    ),
    "a server is closed": (
        lambda docs: find(docs, "nodes", "database-1")["spec"].update({"unschedulable": True}),
        ["server database-1", "kubectl uncordon database-1"],
    ),
    "a disk is full": (
        set_condition(
            "nodes", "processor-1", state("Ready", "True"), state("DiskPressure", "True", message="disk pressure")
        ),
        ["server processor-1", "its disk"],
    ),
    "a secret is missing": (
        lambda docs: without(docs, "secrets", "leocdp-erasure"),
        ["secret leocdp-erasure", "is missing", "deploy/k8s/make-secrets"],
    ),
    "a key of a secret is missing": (
        lambda docs: find(docs, "secrets", "leocdp-store")["data"].pop("admin-password"),
        ["secret leocdp-store", "has no admin-password"],
    ),
    "a key that only a volume takes is missing": (
        lambda docs: find(docs, "secrets", "leocdp-log")["data"].pop("password"),
        ["secret leocdp-log", "has no password"],
    ),
    "a value is empty": (
        lambda docs: find(docs, "secrets", "leocdp-gateway")["data"].update({"secret": ""}),
        ["secret leocdp-gateway", "has no secret"],
    ),
    "the certificate is missing": (
        lambda docs: without(docs, "secrets", "leocdp-gateway-tls"),
        ["leocdp-gateway-tls", "kubectl -n leocdp create secret tls leocdp-gateway-tls"],
    ),
    "the certificate has ended": (
        lambda docs: find(docs, "secrets", "leocdp-observer-tls").update({"data": certificate(-1)}),
        ["certificate leocdp-observer-tls", "has ended", "--dry-run=client -o yaml | kubectl apply -f -"],
    ),
    "the certificate is none": (
        lambda docs: find(docs, "secrets", "leocdp-observer-tls")["data"].update({"tls.crt": encoded("nothing")}),
        ["certificate leocdp-observer-tls", "cannot be read"],
    ),
    "the addresses are the example's": (
        lambda docs: find(docs, "ingresses", "gateway")["spec"]["rules"][0].update({"host": "cdp.example.com"}),
        ["address of gateway", "cdp.example.com", "addresses.yaml"],
    ),
    "there is no ingress controller": (
        lambda docs: docs["ingressclasses"].clear(),
        ["ingress class nginx", "install ingress-nginx"],
    ),
    "no storage class is the default": (
        no_default_class,
        ["kubectl annotate storageclass slow storageclass.kubernetes.io/is-default-class=true"],
    ),
    "a storage class is missing": (another_class, ["storage class nvme", "there are: fast"]),
    "a volume waits": (waiting_volume, ["volume data-kafka-1", "no room in pool fast"]),
    "a volume is lost": (
        lambda docs: find(docs, "persistentvolumeclaims", "data-kafka-0")["status"].update({"phase": "Lost"}),
        ["volume data-kafka-0", "is lost"],
    ),
    "no server takes a pod": (no_server, ["pod processor-1", "5 node(s) didn't match", "leocdp.io/role=processor"]),
    "an image cannot be had": (
        lambda docs: waits(docs, "observer-0", "ImagePullBackOff", "Back-off pulling image"),
        ["pod observer-0", "ImagePullBackOff", "`images` of"],
    ),
    "a container ends again and again": (
        lambda docs: waits(docs, "processor-0", "CrashLoopBackOff", "", exitCode=2, reason="Error"),
        ["pod processor-0", "status 2, 7 times", "kubectl -n leocdp logs processor-0 -c processor --previous"],
    ),
    "memory does not suffice": (
        lambda docs: waits(docs, "processor-0", "CrashLoopBackOff", "", exitCode=137, reason="OOMKilled"),
        ["pod processor-0", "more memory than 1536Mi"],
    ),
    "a container has a wrong reference": (
        lambda docs: waits(docs, "kafka-0", "CreateContainerConfigError", 'secret "kafka" not found'),
        ["pod kafka-0", 'secret "kafka" not found'],
    ),
    "a volume is not mounted": (not_mounted, ["pod admin-0", 'secret "leocdp-owner" not found']),
    "a pod is not ready": (
        set_condition(
            "pods", "gateway-0", state("Ready", "False", message="containers with unready status: [gateway]")
        ),
        ["pod gateway-0", "is not ready", "unready status"],
    ),
    "pods are refused": (refused, ["Deployment gateway", "exceeded quota: small"]),
    "the job has failed": (
        set_condition("jobs", "prepare", state("Failed", "True", message="Job has reached the backoff limit")),
        ["job prepare", "backoff limit", "kubectl -n leocdp logs job/prepare --all-containers"],
    ),
    "no backup was made": (
        lambda docs: find(docs, "cronjobs", "backup")["status"].update({"lastSuccessfulTime": of_ago(hours=30)}),
        ["backup none was made since", "create job backup-now --from=cronjob/backup"],
    ),
    "backups are suspended": (
        lambda docs: find(docs, "cronjobs", "backup")["spec"].update({"suspend": True}),
        ["backup none is made, as during a restore"],
    ),
    "metrics-server is missing": (
        lambda docs: docs["apiservices"].clear(),
        ["metrics-server", "install metrics-server"],
    ),
    "metrics-server does not answer": (
        lambda docs: docs.update({"apiservices": [metrics_server("False")]}),
        ["metrics-server", "no response from 10.0.0.7"],
    ),
    "a scaler does not work": (
        lambda docs: find(docs, "horizontalpodautoscalers", "observer").update(
            {
                "status": {
                    "conditions": [state("ScalingActive", "False", reason="Failed", message="no metrics returned")]
                }
            }
        ),
        ["scaler observer", "no metrics returned"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_what_mends_it(fault: str, standin: StandIn) -> None:
    documents = healthy("tier-5")
    damage, said = FAULTS[fault]
    damage(documents)
    standin.serve(documents)
    found = wrongs()
    assert any(all(part in sentence for part in said) for sentence in found), found


def test_before_anything_is_applied_the_overlay_tells_what_is_missing(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    standin.serve({"nodes": healthy("tier-10")["nodes"][:9]})
    found = "\n".join(wrongs("--overlay", "tier-10"))
    assert "admin servers 1 of 2" in found
    for name in MADE:
        assert f"secret {name} is missing" in found
    assert "none is the default" in found
    assert "kubectl apply -k deploy/k8s/overlays/tier-10" in found


def test_kinds_of_operators_and_a_second_scaler(standin: StandIn, tmp_path: Path) -> None:
    tree = tmp_path / "k8s"
    shutil.copytree(K8S, tree)
    file = tree / "overlays" / "tier-5" / "kustomization.yaml"
    changed = yaml.safe_load(file.read_text(encoding="utf-8"))
    wanted = [*with_keda("tier-5"), "monitoring"]
    file.write_text(yaml.safe_dump(changed | {"components": [f"../../components/{each}" for each in wanted]}))
    documents = healthy("tier-5")
    meta = {"name": "processor", "namespace": "leocdp"}
    target = {"scaleTargetRef": {"name": "processor", "kind": "StatefulSet"}}
    documents["scaledobjects"] = [{"kind": "ScaledObject", "metadata": meta, "spec": target}]
    standin.serve(documents)
    found = "\n".join(wrongs("--overlay", str(file.parent)))
    for kind in ("ScaledObject", "TriggerAuthentication"):
        assert f"kind {kind} the overlay has it by component keda" in found
    for kind in ("PodMonitor", "PrometheusRule"):
        assert f"kind {kind} the overlay has it by component monitoring" in found
    assert "install KEDA" in found
    assert "scalers of processor two scalers pull at it: `kubectl -n leocdp delete hpa processor`" in found


def test_another_image_than_the_overlays(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    documents = healthy("tier-5")
    pod = find(documents, "deployments", "observer")["spec"]["template"]["spec"]
    pod["containers"][0]["image"] = "leocdp/observer:0.0.9"
    standin.serve(documents)
    found = wrongs("--overlay", "tier-5")
    assert any(
        "Deployment observer runs leocdp/observer:0.0.9; the overlay says leocdp/observer:" in one for one in found
    )


def test_an_empty_namespace(standin: StandIn) -> None:
    standin.serve({"nodes": healthy("tier-5")["nodes"]})
    found = "\n".join(wrongs("--namespace", "people"))
    assert "there is none in the namespace people" in found
    assert {call[1] for call in standin.calls} == {"people"}


def test_what_may_not_be_read_is_told_and_the_rest_is_looked_at(standin: StandIn) -> None:
    documents = healthy("tier-5")
    without(documents, "secrets", "kafka")
    standin.serve(documents)
    standin.refuse("nodes", 'Error from server (Forbidden): nodes is forbidden: User "lan" cannot list resource')
    found = wrongs()
    assert len(found) == 2
    assert "nodes you may not read them" in found[0]
    assert "secret kafka is missing" in found[1]


def test_a_cluster_that_does_not_answer_is_one_sentence(standin: StandIn) -> None:
    log = 'E1125 09:39:27.319645    8723 memcache.go:265] "Unhandled Error" err="connection refused"\n'
    standin.refuse("nodes", f"{log}{log}The connection to the server 10.0.0.1:6443 was refused\n")
    result = doctor()
    assert isinstance(result.exception, CommandFailed)
    assert str(result.exception) == "kubectl get nodes: The connection to the server 10.0.0.1:6443 was refused"
    assert result.exception.status == 3


def test_without_kubectl_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = doctor()
    assert isinstance(result.exception, CommandFailed)
    assert "kubectl is not on the PATH" in str(result.exception)


def test_an_overlay_that_is_none(standin: StandIn) -> None:
    result = doctor("--overlay", "tier-7")
    assert isinstance(result.exception, CommandFailed)
    assert "tier-7 is neither tier-5 nor tier-10 nor a folder" in str(result.exception)
    assert result.exception.status == 2


def test_what_is_known_of_tiers_and_secrets_is_what_the_manifests_have(tmp_path: Path) -> None:
    assert {tier: dict(roles) for tier, roles in SERVERS.items()} == test_placement.SERVERS
    made = {each["metadata"]["name"]: set(each["stringData"]) for each in secrets(tmp_path) if each["kind"] == "Secret"}
    assert {name: set(keys) for name, keys in MADE.items()} == made


@pytest.mark.parametrize("days", [-30, 1, 10_000])
def test_the_end_of_a_certificate(days: int) -> None:
    pem = base64.b64decode(certificate(days)["tls.crt"]).decode()
    assert abs(good_until(pem + pem) - datetime.now(UTC) - timedelta(days=days)) < timedelta(hours=1)


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "tls"])
def test_what_is_no_certificate(text: str) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        good_until(text)
