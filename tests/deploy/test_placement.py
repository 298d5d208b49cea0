"""Everything fits the servers of its tier, with room for the system, also when one pod after another is placed badly.

Each server keeps 15 % of its CPU, memory and disk. Pods are placed as their selectors and affinities allow, the largest
first; where there is a choice, once on the fullest server and once on the emptiest, because nobody knows which one the
scheduler takes. Limits count, not only requests: a server must bear that all use what they may.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.deploy.cluster import K8S, TIERS, Workload, overlay, workloads

pytestmark = pytest.mark.needs("kubectl")

ROOM = 0.85
GB = 1_000_000_000
SIZES = {
    "observer": (4.0, 8 * GB, 20 * GB),
    "database": (8.0, 16 * GB, 500 * GB),
    "processor": (4.0, 8 * GB, 120 * GB),
    "admin": (4.0, 8 * GB, 40 * GB),
}
SERVERS = {
    "tier-5": {"observer": 2, "database": 1, "processor": 1, "admin": 1},
    "tier-10": {"observer": 4, "database": 2, "processor": 2, "admin": 2},
}
_UNITS = {"": 1.0, "m": 0.001, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "k": 1e3, "M": 1e6, "G": 1e9}
Amounts = tuple[float, float, float]
"""CPUs, bytes of memory, bytes of disk."""


@dataclass
class Node:
    role: str
    number: int
    used: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    apps: list[str] = field(default_factory=list)

    @property
    def room(self) -> list[float]:
        return [size * ROOM - used for size, used in zip(SIZES[self.role], self.used, strict=True)]

    def fits(self, amounts: Amounts) -> bool:
        return all(room >= amount for room, amount in zip(self.room, amounts, strict=True))

    def put(self, app: str, amounts: Amounts) -> None:
        self.used = [used + amount for used, amount in zip(self.used, amounts, strict=True)]
        self.apps.append(app)


def quantity(text: object) -> float:
    found = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text))
    assert found, text
    return float(found[1]) * _UNITS[found[2]]


def limits(load: Workload) -> Amounts:
    """Of one pod. What runs first and ends, and what runs then, are not added up: the larger counts."""
    first = [_of(each) for each in load.pod.get("initContainers", [])]
    then = [sum(parts) for parts in zip(*(_of(each) for each in load.pod["containers"]), strict=True)]
    cpu, memory, disk = (max([*(each[n] for each in first), then[n]]) for n in range(3))
    claims = sum(quantity(claim["spec"]["resources"]["requests"]["storage"]) for claim in load.claims)
    claimed = sum(quantity(each) for each in _volumes_of(load))
    return cpu, memory, disk + claims + claimed


def _of(container: Mapping[str, Any]) -> Amounts:
    found = container["resources"]["limits"]
    return quantity(found["cpu"]), quantity(found["memory"]), quantity(found["ephemeral-storage"])


def _volumes_of(load: Workload) -> list[str]:
    names = [
        each["persistentVolumeClaim"]["claimName"] for each in load.pod["volumes"] if "persistentVolumeClaim" in each
    ]
    return [CLAIMS[name] for name in names]


CLAIMS: dict[str, str] = {}


def roles(load: Workload) -> list[str]:
    selected = load.pod.get("nodeSelector", {}).get("leocdp.io/role")
    if selected:
        return [selected]
    terms = load.pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    (expression,) = terms[0]["matchExpressions"]
    assert (expression["key"], expression["operator"]) == ("leocdp.io/role", "In")
    return list(expression["values"])


def preferences(load: Workload) -> list[str]:
    affinity = load.pod.get("affinity", {}).get("nodeAffinity", {})
    terms = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or []
    return [role for term in terms for each in term["preference"]["matchExpressions"] for role in each["values"]]


def keeps_apart(load: Workload) -> bool:
    return "podAntiAffinity" in load.pod.get("affinity", {})


def spreads(load: Workload) -> bool:
    return bool(load.pod.get("topologySpreadConstraints"))


def place(loads: Sequence[Workload], tier: str, choose: Callable[[list[Node], Workload], Node]) -> list[Node]:
    """Raises AssertionError with the table when something does not fit."""
    nodes = [Node(role, number) for role, count in SERVERS[tier].items() for number in range(count)]
    pods = [load for load in loads for _ in range(load.replicas)]
    # Those that may go to few servers first, large ones before small ones: what is placed last has the least choice.
    for load in sorted(pods, key=lambda each: (not keeps_apart(each), len(roles(each)), -limits(each)[1])):
        amounts = limits(load)
        allowed = [node for node in nodes if node.role in roles(load) and node.fits(amounts)]
        if keeps_apart(load):
            allowed = [node for node in allowed if load.app not in node.apps]
        assert allowed, f"{load.name} does not fit:\n{table(nodes)}"
        node = min(allowed, key=lambda each: each.apps.count(load.app)) if spreads(load) else choose(allowed, load)
        node.put(load.app, amounts)
    return nodes


def table(nodes: Sequence[Node]) -> str:
    lines = ["server        CPU        memory GB   disk GB      pods"]
    for node in nodes:
        cpu, memory, disk = SIZES[node.role]
        used = node.used
        server = f"{node.role} {node.number + 1}"
        figures = f"{used[0]:4.2f} / {cpu:.0f}  {used[1] / GB:5.1f} / {memory / GB:.0f}"
        lines.append(f"{server:12} {figures}  {used[2] / GB:6.1f} / {disk / GB:.0f}  {', '.join(sorted(node.apps))}")
    return "\n".join(lines)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("choose", ["fullest", "emptiest"])
def test_every_pod_fits_a_server(tier: str, choose: str) -> None:
    nodes = placed(tier, min if choose == "fullest" else max)
    assert all(amount >= 0 for node in nodes for amount in node.room), table(nodes)
    print(table(nodes))


def placed(tier: str, pick: Callable[..., Node], *, asked: bool = False) -> list[Node]:
    """By a scheduler that takes the fullest server of those that do (``min``), or the emptiest (``max``); ``asked``: it
    takes those that a pod prefers, which a scheduler need not do."""
    manifests = overlay(tier)
    CLAIMS.update(
        {
            each["metadata"]["name"]: each["spec"]["resources"]["requests"]["storage"]
            for each in manifests
            if each["kind"] == "PersistentVolumeClaim"
        }
    )

    def chosen(allowed: list[Node], load: Workload) -> Node:
        preferred = [node for node in allowed if asked and node.role in preferences(load)]
        return pick(preferred or allowed, key=lambda node: min(node.room[0] / 4, node.room[1] / (8 * GB)))

    return place(list(workloads(manifests)), tier, chosen)


def in_markdown(nodes: Sequence[Node]) -> str:
    """What is where, with the limits of all pods added up, beside what may be used: 85 % of the server."""
    lines = ["| server | CPU | memory, GB | disk, GB | pods |", "|---|---|---|---|---|"]
    for node in nodes:
        cpu, memory, disk = (size * ROOM for size in SIZES[node.role])
        pods = ", ".join(_counted(app, node.apps.count(app)) for app in sorted(set(node.apps)))
        figures = f"{node.used[0]:.2f} of {cpu:.1f} | {node.used[1] / GB:.1f} of {memory / GB:.1f}"
        lines.append(
            f"| {node.role} {node.number + 1} | {figures} | {node.used[2] / GB:.0f} of {disk / GB:.0f} | {pods} |"
        )
    return "\n".join(lines)


def _counted(app: str, count: int) -> str:
    return app if count == 1 else f"{count} × {app}"


@pytest.mark.parametrize("tier", TIERS)
def test_the_page_shows_what_is_where(tier: str) -> None:
    shown = in_markdown(placed(tier, max, asked=True))
    assert shown in (K8S / "README.md").read_text(encoding="utf-8"), f"Put this there:\n\n{shown}\n"


def test_something_too_large_is_noticed() -> None:
    """The check can fail: a processor of 4 CPUs leaves nothing for the system."""
    loads = list(workloads(overlay("tier-5")))
    huge = next(load for load in loads if load.name == "processor")
    pod = {
        **huge.pod,
        "containers": [
            {
                **huge.pod["containers"][0],
                "resources": {"limits": {"cpu": "4", "memory": "1Gi", "ephemeral-storage": "1Gi"}},
            }
        ],
    }
    changed = [load for load in loads if load.name != "processor"]
    changed.append(Workload(huge.kind, huge.name, 1, pod, huge.labels, huge.claims))
    with pytest.raises(AssertionError, match="processor does not fit"):
        place(changed, "tier-5", lambda allowed, _: allowed[0])


@pytest.mark.parametrize("tier", TIERS)
def test_any_one_server_may_be_lost_and_the_log_goes_on(tier: str) -> None:
    """Three nodes of Kafka on three servers, none of them a database server; two are enough to acknowledge."""
    kafka = next(load for load in workloads(overlay(tier)) if load.name == "kafka")
    assert kafka.replicas == 3
    assert keeps_apart(kafka)
    assert "database" not in roles(kafka)
    assert sum(SERVERS[tier][role] for role in roles(kafka)) >= 3
