"""Images: which version runs, and whether it is the overlay's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leocdp_cli.diagnosis.finding import Finding
from leocdp_cli.kubernetes.cluster import Cluster, containers, name, pods_of

OURS: Final = ("observer", "processor", "admin", "gateway", "tools")


def images(cluster: Cluster) -> Iterator[Finding]:
    live = {(each["kind"], name(each)): _images(pod) for each, pod in pods_of(_running(cluster))}
    tags = {
        image.rpartition(":")[2]
        for found in live.values()
        for image in found
        if image.partition("@")[0].rpartition("/")[2].partition(":")[0] in OURS
    }
    if tags:
        several = "" if len(tags) == 1 else ": not for longer than an upgrade takes"
        yield Finding("version", True, f"{', '.join(sorted(tags))}{several}")
    for each, pod in pods_of(cluster.overlay):
        key = (each["kind"], name(each))
        if each["kind"] != "Job" and key in live and live[key] != _images(pod):
            told = f"runs {', '.join(sorted(live[key]))}; the overlay says {', '.join(sorted(_images(pod)))}"
            yield Finding(f"{key[0]} {key[1]}", False, f"{told}: `kubectl apply -k {cluster.folder}`")


def _running(cluster: Cluster) -> list[dict[str, object]]:
    return [dict(each) for kind in ("deployments", "statefulsets", "cronjobs") for each in cluster.of(kind)]


def _images(pod: object) -> frozenset[str]:
    return frozenset(str(each["image"]) for each in containers(pod)) if isinstance(pod, dict) else frozenset()
