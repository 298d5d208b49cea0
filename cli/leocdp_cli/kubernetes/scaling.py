"""Scalers, and what the cluster must have for the kinds that an overlay uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leocdp_cli.diagnosis.finding import Finding
from leocdp_cli.kubernetes.cluster import METRICS, OPERATORS, Cluster, condition, name
from leocdp_cli.kubernetes.kubectl import Document

OF_KEDA: Final = "scaledobject.keda.sh/name"
INSTALL: Final = {"keda.sh": "KEDA", "monitoring.coreos.com": "Prometheus' operator"}
COMPONENT: Final = {"keda.sh": "keda", "monitoring.coreos.com": "monitoring"}


def scaling(cluster: Cluster) -> Iterator[Finding]:
    yield from _definitions(cluster)
    scalers = [each for each in cluster.wanted if each.get("kind") == "HorizontalPodAutoscaler"]
    if scalers and "apiservices" not in cluster.denied:
        yield _metrics(cluster)
    yield from _two(cluster)
    for each in cluster.of("horizontalpodautoscalers"):
        active = condition(each, "ScalingActive")
        # Of no replicas nothing is measured, and nothing is wrong.
        if active.get("status") == "False" and active.get("reason") != "ScalingDisabled":
            yield Finding(f"scaler {name(each)}", False, f"does not work: {active.get('message', '')}")
    for each in cluster.of("scaledobjects"):
        ready = condition(each, "Ready")
        if ready.get("status") == "False":
            say = f"does not work: {ready.get('message', '')}. {cluster.run(f'describe scaledobject {name(each)}')}"
            yield Finding(f"scaler {name(each)}", False, say)


def _definitions(cluster: Cluster) -> Iterator[Finding]:
    if "customresourcedefinitions" in cluster.denied:
        return
    there = {name(each) for each in cluster.of("customresourcedefinitions")}
    for kind in sorted({str(each.get("kind")) for each in cluster.wanted} & OPERATORS.keys()):
        definition = OPERATORS[kind]
        group = definition.partition(".")[2]
        if definition in there:
            yield Finding(f"kind {kind}", True, f"is known, by {INSTALL[group]}")
        else:
            say = f"the overlay has it by component {COMPONENT[group]}, and the cluster does not know it: "
            yield Finding(f"kind {kind}", False, f"{say}install {INSTALL[group]}, or take the component out.")


def _metrics(cluster: Cluster) -> Finding:
    found = [each for each in cluster.of("apiservices") if name(each) == METRICS]
    if not found:
        say = "is not installed, so nothing is scaled and `kubectl top` has no figures: install metrics-server."
        return Finding("metrics-server", False, say)
    available = condition(found[0], "Available")
    if available.get("status") != "True":
        return Finding("metrics-server", False, f"does not answer: {available.get('message', '')}")
    return Finding("metrics-server", True, "answers")


def _two(cluster: Cluster) -> Iterator[Finding]:
    own = [each for each in cluster.of("horizontalpodautoscalers") if OF_KEDA not in _labels(each)]
    by_cpu = {each["spec"]["scaleTargetRef"]["name"]: name(each) for each in own}
    for each in cluster.of("scaledobjects"):
        target = each["spec"]["scaleTargetRef"]["name"]
        if target in by_cpu:
            say = f"two scalers pull at it: {cluster.run(f'delete hpa {by_cpu[target]}')}, and leave its component out."
            yield Finding(f"scalers of {target}", False, say)


def _labels(document: Document) -> dict[str, str]:
    found: dict[str, str] = document["metadata"].get("labels") or {}
    return found
