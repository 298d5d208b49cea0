"""Secrets: each that pods and the ingress ask for, with its keys, and certificates that are still good."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from leocdp_cli.diagnosis.finding import Finding
from leocdp_cli.kubernetes.certificate import good_until
from leocdp_cli.kubernetes.cluster import Cluster, containers, name, pods_of
from leocdp_cli.kubernetes.kubectl import Document

MADE: Final[Mapping[str, tuple[str, ...]]] = {
    "leocdp-log": ("user", "password", "keda-sasl"),
    "kafka": ("client", "broker", "cluster-id"),
    "leocdp-store": ("root-password", "profiles-password", "admin-password"),
    "arangodb-cluster": ("jwt",),
    "leocdp-erasure": ("key",),
    "leocdp-gateway": ("secret",),
    "leocdp-owner": ("email", "password"),
}
"""What deploy/k8s/make-secrets makes, and what is in each."""
CERTIFICATE: Final = ("tls.crt", "tls.key")
SOON: Final = timedelta(days=14)
"""Before its end in which a certificate is spoken of, as in the alert."""


def secrets(cluster: Cluster, now: datetime) -> Iterator[Finding]:
    if "secrets" in cluster.denied:
        return
    there = {name(each): each for each in cluster.of("secrets")}
    of_doors = set(_doors(cluster))
    for named, keys in sorted(needed(cluster).items()):
        if named not in there:
            yield Finding(f"secret {named}", False, f"is missing: {_mend(cluster, named, named in of_doors)}")
            continue
        values = there[named].get("data") or {}
        lacking = sorted(key for key in keys if not values.get(key))
        if lacking:
            say = f"has no {', '.join(lacking)}: {_mend(cluster, named, named in of_doors)}"
            yield Finding(f"secret {named}", False, say)
        elif named in of_doors:
            yield _certificate(cluster, named, values["tls.crt"], now)
        else:
            yield Finding(f"secret {named}", True, "is there")


def needed(cluster: Cluster) -> dict[str, set[str]]:
    """Secret → keys. A volume without a list of keys takes what the script makes."""
    found: dict[str, set[str]] = {}
    for _, pod in pods_of(cluster.wanted):
        for named, keys in _of_pod(pod):
            found.setdefault(named, set()).update(keys)
    for named in _doors(cluster):
        found.setdefault(named, set()).update(CERTIFICATE)
    return found


def _of_pod(pod: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for volume in pod.get("volumes", []):
        secret = volume.get("secret")
        if secret and not secret.get("optional"):
            keys = tuple(item["key"] for item in secret.get("items", []))
            yield secret["secretName"], keys or MADE.get(secret["secretName"], ())
    for container in containers(pod):
        for entry in container.get("env", []):
            key = entry.get("valueFrom", {}).get("secretKeyRef")
            if key and not key.get("optional"):
                yield key["name"], (key["key"],)
    for each in pod.get("imagePullSecrets", []):
        yield each["name"], (".dockerconfigjson",)


def _doors(cluster: Cluster) -> Iterator[str]:
    for each in cluster.wanted:
        if each.get("kind") == "Ingress":
            yield from (tls["secretName"] for tls in each["spec"].get("tls", []) if "secretName" in tls)


def _mend(cluster: Cluster, named: str, of_door: bool) -> str:
    if of_door:
        return cluster.run(f"create secret tls {named} --cert=FILE --key=FILE")
    if named in MADE:
        return "`deploy/k8s/make-secrets OWNER@YOUR.DOMAIN > missing.yaml && kubectl apply -f missing.yaml`"
    return "no script of ours makes it; an overlay of yours asks for it."


def _certificate(cluster: Cluster, named: str, encoded: str, now: datetime) -> Finding:
    what = f"certificate {named}"
    renew = cluster.run(
        f"create secret tls {named} --cert=FILE --key=FILE --dry-run=client -o yaml | kubectl apply -f -"
    )
    try:
        end = good_until(base64.b64decode(encoded).decode("ascii"))
    except ValueError as wrong:
        return Finding(what, False, f"cannot be read, {wrong}: {renew}")
    day = f"{end:%Y-%m-%d}"
    if end <= now:
        return Finding(what, False, f"has ended on {day}; browsers and SDKs refuse it: {renew}")
    if end - now < SOON:
        return Finding(what, True, f"ends soon, on {day}: {renew}")
    return Finding(what, True, f"is good until {day}")


def hosts(cluster: Cluster) -> Iterator[Finding]:
    """Addresses that are still those of the example lead nobody to the installation."""
    for each in cluster.wanted:
        if each.get("kind") == "Ingress":
            yield from _host(cluster, each)


def _host(cluster: Cluster, ingress: Document) -> Iterator[Finding]:
    what = f"address of {name(ingress)}"
    told = [str(rule.get("host", "")) for rule in ingress["spec"].get("rules", [])]
    if any(host.endswith("example.com") for host in told):
        say = f"is still {', '.join(told)}: put yours into {cluster.folder}/addresses.yaml and apply it."
        yield Finding(what, False, say)
    else:
        yield Finding(what, True, ", ".join(told))
    wanted = ingress["spec"].get("ingressClassName")
    classes = {name(one) for one in cluster.of("ingressclasses")}
    if wanted and "ingressclasses" not in cluster.denied and wanted not in classes:
        known = ", ".join(sorted(classes)) or "none"
        say = f"nobody serves the ingress class {wanted}: install ingress-nginx. There are: {known}."
        yield Finding(what, False, say)
