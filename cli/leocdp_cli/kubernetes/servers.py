"""Servers: enough of each role, ready, and open for pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from leocdp_cli.diagnosis.finding import Finding
from leocdp_cli.kubernetes.cluster import ROLE, SERVERS, Cluster, condition, name, pods_of
from leocdp_cli.kubernetes.kubectl import Document

PRESSURES: Final = {"DiskPressure": "its disk", "MemoryPressure": "its memory", "PIDPressure": "its processes"}


def servers(cluster: Cluster) -> Iterator[Finding]:
    if "nodes" in cluster.denied:
        return
    nodes = cluster.of("nodes")
    roles: dict[str, list[Document]] = {}
    for node in nodes:
        roles.setdefault(node["metadata"].get("labels", {}).get(ROLE, ""), []).append(node)
    for role, count in needed(cluster).items():
        yield _role(role, count, roles)
    known = SERVERS["tier-5"].keys()
    for role in sorted(roles.keys() - known - {""}):
        names = ", ".join(name(each) for each in roles[role])
        yield Finding(f"role {role}", False, f"{names}: no pod asks for this role; it is one of {', '.join(known)}.")
    for node in nodes:
        yield from _node(node)


def needed(cluster: Cluster) -> Mapping[str, int]:
    """Role → servers. Where the tier is not known: one of each that pods ask for."""
    if cluster.tier:
        return SERVERS[cluster.tier]
    return {pod["nodeSelector"][ROLE]: 1 for _, pod in pods_of(cluster.wanted) if ROLE in pod.get("nodeSelector", {})}


def _role(role: str, count: int, roles: Mapping[str, Sequence[Document]]) -> Finding:
    there = roles.get(role, [])
    if len(there) >= count:
        return Finding(f"{role} servers", True, ", ".join(name(each) for each in there))
    free = ", ".join(name(each) for each in roles.get("", [])) or "none"
    say = f"{len(there)} of {count} have the label: `kubectl label node NAME {ROLE}={role}`. Without a role: {free}."
    return Finding(f"{role} servers", False, say)


def _node(node: Document) -> Iterator[Finding]:
    what = f"server {name(node)}"
    ready = condition(node, "Ready")
    if ready.get("status") != "True":
        said = ready.get("message", "nothing was heard of it")
        yield Finding(
            what, False, f"is not ready: {said}. `kubectl describe node {name(node)}`; docs/operations/lost-server.md"
        )
    if node.get("spec", {}).get("unschedulable"):
        yield Finding(what, False, f"is closed for new pods: `kubectl uncordon {name(node)}`")
    for kind, of_what in PRESSURES.items():
        found = condition(node, kind)
        if found.get("status") == "True":
            say = f"has too little left of {of_what}, so pods are taken off it: {found.get('message', '')}"
            yield Finding(what, False, say)
