"""Volumes: a storage class for each claim, and claims that got their volume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leocdp_cli.diagnosis.finding import Finding
from leocdp_cli.kubernetes.cluster import Cluster, name, said_of
from leocdp_cli.kubernetes.kubectl import Document

DEFAULT: Final = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def volumes(cluster: Cluster) -> Iterator[Finding]:
    if "storageclasses" not in cluster.denied:
        yield from _classes(cluster)
    claims = cluster.of("persistentvolumeclaims")
    bad = [found for each in claims for found in _claim(cluster, each)]
    yield from bad
    if claims and not bad:
        yield Finding("volumes", True, f"all {len(claims)} claims have one")


def _classes(cluster: Cluster) -> Iterator[Finding]:
    there = {name(each): each for each in cluster.of("storageclasses")}
    default = [
        key
        for key, each in there.items()
        if any(each["metadata"].get("annotations", {}).get(one) == "true" for one in DEFAULT)
    ]
    asked = list(_asked(cluster))
    for wanted in sorted({each for each in asked if each} - there.keys()):
        names = ", ".join(there) or "none"
        yield Finding(f"storage class {wanted}", False, f"is asked for and not there; there are: {names}.")
    if "" in asked and not default:
        one = next(iter(there), "NAME")
        say = "none is the default, so volumes are never made: `kubectl annotate storageclass "
        yield Finding(
            "storage class", False, f"{say}{one} {DEFAULT[0]}=true`. There are: {', '.join(there) or 'none'}."
        )
    elif "" in asked:
        yield Finding("storage class", True, f"{default[0]} is the default")


def _asked(cluster: Cluster) -> Iterator[str]:
    """The class of each claim; empty for the default. A claim that has its volume asks for nothing any more."""
    bound = {
        name(each) for each in cluster.of("persistentvolumeclaims") if each.get("status", {}).get("phase") == "Bound"
    }
    for each in cluster.wanted:
        for claim in each.get("spec", {}).get("volumeClaimTemplates", []):
            number = each["spec"].get("replicas", 1)
            own = {f"{name(claim)}-{name(each)}-{index}" for index in range(number)}
            if not own <= bound:
                yield claim["spec"].get("storageClassName") or ""
    for each in (*cluster.wanted, *cluster.of("persistentvolumeclaims")):
        if each.get("kind") == "PersistentVolumeClaim" and name(each) not in bound:
            yield each["spec"].get("storageClassName") or ""


def _claim(cluster: Cluster, claim: Document) -> Iterator[Finding]:
    phase = claim.get("status", {}).get("phase")
    what = f"volume {name(claim)}"
    if phase == "Lost":
        yield Finding(what, False, "is lost; see docs/operations/lost-server.md before anything else.")
    elif phase == "Pending":
        said = said_of(cluster, "PersistentVolumeClaim", name(claim)) or "it waits until its pod has a server"
        yield Finding(what, False, f"is not made yet: {said}. {cluster.run(f'describe pvc {name(claim)}')}")
