"""Tiers as people change them: other components, another namespace."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.cluster import K8S, Manifest, rendered


def of_tier(tier: str) -> list[str]:
    """Components that the tier has by itself."""
    read = yaml.safe_load((K8S / "overlays" / tier / "kustomization.yaml").read_text(encoding="utf-8"))
    return [Path(each).name for each in read["components"]]


def variant(folder: Path, tier: str, wanted: Collection[str], **changes: Any) -> tuple[Manifest, ...]:
    """What is applied when the overlay names these components, and these values of its kustomization are others."""
    tree = folder / "k8s"
    shutil.copytree(K8S, tree)
    file = tree / "overlays" / tier / "kustomization.yaml"
    read = yaml.safe_load(file.read_text(encoding="utf-8"))
    read |= {"components": [f"../../components/{each}" for each in wanted], **changes}
    file.write_text(yaml.safe_dump(read), encoding="utf-8")
    return rendered(file.parent)


def with_keda(tier: str) -> list[str]:
    return ["keda" if each == "autoscaling-processor" else each for each in of_tier(tier)]
