"""Tiers with other components than theirs: each choice that can be made renders, and says what it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.cluster import TIERS, Manifest, of_kind
from tests.deploy.variants import of_tier, variant, with_keda

pytestmark = pytest.mark.needs("kubectl")

NEEDED = {"kafka", "arangodb-single", "arangodb-cluster"}
"""The others can be left out."""
SIZES = {"tier-5": (1, 2), "tier-10": (2, 4)}
"""Fewest and most processors."""


def choices(tier: str) -> list[tuple[str, list[str]]]:
    """Nothing that can be left out, everything, one too few. Components do not know of each other, but for the two that
    scale processors: so what one of them breaks is seen without trying each with each."""
    own = of_tier(tier)
    least = [each for each in own if each in NEEDED]
    without = [(f"without {each}", [name for name in own if name != each]) for each in own if each not in NEEDED]
    return [("least", least), ("all", [*with_keda(tier), "monitoring"]), *without]


@pytest.mark.parametrize(
    ("tier", "wanted"),
    [pytest.param(tier, wanted, id=f"{tier} {name}") for tier in TIERS for name, wanted in choices(tier)],
)
def test_each_choice_renders(tier: str, wanted: list[str], tmp_path: Path) -> None:
    manifests = variant(tmp_path, tier, wanted)
    keys = [(each["kind"], each["metadata"]["name"]) for each in manifests]
    assert len(keys) == len(set(keys))
    scaled = sizes(manifests)
    assert scaled == ([SIZES[tier]] if {"keda", "autoscaling-processor"} & set(wanted) else [])
    assert ("HorizontalPodAutoscaler", "observer") in keys or "autoscaling" not in wanted
    assert ("CronJob", "backup") in keys or "backup" not in wanted


def sizes(manifests: tuple[Manifest, ...]) -> list[tuple[int, int]]:
    """Fewest and most processors, of each that scales them."""
    found = [
        (each["spec"]["minReplicas"], each["spec"]["maxReplicas"])
        for each in of_kind(manifests, "HorizontalPodAutoscaler")
        if each["metadata"]["name"] == "processor"
    ]
    found += [
        (each["spec"]["minReplicaCount"], each["spec"]["maxReplicaCount"])
        for each in of_kind(manifests, "ScaledObject")
    ]
    return found
