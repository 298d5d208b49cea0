"""Pods: those that do not run, with the reason that the cluster gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from leocdp_cli.diagnosis.finding import Finding
from leocdp_cli.kubernetes.cluster import ROLE, Cluster, condition, containers, name, pods_of, said_of
from leocdp_cli.kubernetes.kubectl import Document

IMAGE: Final = {"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
STARTING: Final = {"ContainerCreating", "PodInitializing"}


def pods(cluster: Cluster) -> Iterator[Finding]:
    yield from _applied(cluster)
    # What belongs to a job is told of with the job.
    there = [each for each in cluster.of("pods") if _owner(each) != "Job" or each["status"].get("phase") == "Pending"]
    bad = [found for each in there for found in _pod(cluster, each)]
    yield from bad
    if there and not bad:
        yield Finding("pods", True, f"all {len(there)} are ready")


def _applied(cluster: Cluster) -> Iterator[Finding]:
    live = {
        (each["kind"], name(each)): each
        for kind in ("deployments", "statefulsets", "cronjobs")
        for each in cluster.of(kind)
    }
    if not live:
        say = f"there is none in the namespace {cluster.namespace}: `kubectl apply -k {cluster.folder}`"
        yield Finding("workloads", False, f"{say}, or name another with --namespace.")
        return
    for each, _ in pods_of(cluster.overlay):
        key = (each["kind"], name(each))
        if each["kind"] != "Job" and key not in live:
            say = f"is in the overlay and was not applied: `kubectl apply -k {cluster.folder}`"
            yield Finding(f"{key[0]} {key[1]}", False, say)
    for (kind, named), each in live.items():
        yield from _refused(cluster, kind, named, each)


def _refused(cluster: Cluster, kind: str, named: str, workload: Document) -> Iterator[Finding]:
    """Pods that the cluster did not even let be made: a quota, a policy, an account that is missing."""
    owners = {("ReplicaSet", each) for each in _replica_sets(cluster, named)} | {(kind, named)}
    short = workload.get("status", {}).get("readyReplicas", 0) < workload["spec"].get("replicas", 0)
    for owner in sorted(owners):
        said = said_of(cluster, *owner, "FailedCreate")
        if said and short:
            yield Finding(f"{kind} {named}", False, f"its pods are refused: {said}")
            return


def _replica_sets(cluster: Cluster, named: str) -> set[str]:
    told = {str(each["involvedObject"].get("name")) for each in cluster.of("events")}
    return {each for each in told if each.rpartition("-")[0] == named}


def _owner(pod: Document) -> str:
    owners = pod["metadata"].get("ownerReferences", [])
    return str(owners[0]["kind"]) if owners else ""


def _pod(cluster: Cluster, pod: Document) -> Iterator[Finding]:
    what = f"pod {name(pod)}"
    phase = pod["status"].get("phase")
    if phase == "Succeeded":
        return
    if condition(pod, "PodScheduled").get("status") == "False":
        yield Finding(what, False, _unscheduled(pod))
        return
    if phase == "Failed":
        said = pod["status"].get("message") or pod["status"].get("reason") or "it has ended"
        yield Finding(what, False, f"has failed: {said}. {cluster.run(f'delete pod {name(pod)}')}")
        return
    states = [*pod["status"].get("initContainerStatuses", []), *pod["status"].get("containerStatuses", [])]
    told = [say for each in states for say in _container(cluster, pod, each)]
    if told:
        yield Finding(what, False, told[0])
    elif condition(pod, "Ready").get("status") != "True":
        yield Finding(what, False, _unready(cluster, pod))


def _unscheduled(pod: Document) -> str:
    said = condition(pod, "PodScheduled").get("message", "no server takes it")
    role = pod["spec"].get("nodeSelector", {}).get(ROLE)
    hint = f" It needs a server with {ROLE}={role}." if role else ""
    return f"has no server: {said}{hint}"


def _container(cluster: Cluster, pod: Document, state: Mapping[str, Any]) -> Iterator[str]:
    waiting = state.get("state", {}).get("waiting") or {}
    reason = waiting.get("reason", "")
    message = waiting.get("message", "")
    if reason in IMAGE:
        say = f"the image {state['image']} cannot be had ({reason}): {message}"
        yield f"{say} Put your registry into `images` of {cluster.folder}/kustomization.yaml, or make the image."
    elif reason == "CrashLoopBackOff":
        yield _crashing(cluster, pod, state)
    elif reason and reason not in STARTING:
        yield f"{state['name']} cannot start ({reason}): {message}"


def _crashing(cluster: Cluster, pod: Document, state: Mapping[str, Any]) -> str:
    last = state.get("lastState", {}).get("terminated") or {}
    logs = cluster.run(f"logs {name(pod)} -c {state['name']} --previous --tail=20")
    if last.get("reason") == "OOMKilled":
        limit = next(
            (
                each["resources"]["limits"]["memory"]
                for each in containers(pod["spec"])
                if each["name"] == state["name"]
            ),
            "its limit",
        )
        return f"{state['name']} ends again and again: it needs more memory than {limit}."
    ended = f"it ended with status {last.get('exitCode', 'unknown')}, {state.get('restartCount', 0)} times"
    return f"{state['name']} ends again and again, {ended}; why is at the end of {logs}"


def _unready(cluster: Cluster, pod: Document) -> str:
    said = said_of(
        cluster, "Pod", name(pod), "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "Unhealthy"
    )
    if not said:
        said = str(condition(pod, "Ready").get("message") or "it has not said why")
    return f"is not ready: {said}. {cluster.run(f'describe pod {name(pod)}')}"
