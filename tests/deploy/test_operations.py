"""The commands of the runbooks name what exists: objects of the rendered tiers, files, containers, settings."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tests.architecture.project import ROOT
from tests.deploy.cluster import TIERS, Manifest, named, of_kind, overlay, rendered, secrets, workloads

pytestmark = pytest.mark.needs("kubectl")

PAGES = (
    "install",
    "upgrade",
    "lost-server",
    "alerts",
    "backup-and-restore",
    "move-5-to-10",
    "scale",
    "lag",
    "security",
)
KINDS = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "job": "Job",
    "cronjob": "CronJob",
    "hpa": "HorizontalPodAutoscaler",
    "secret": "Secret",
    "pod": "Pod",
    "pvc": "PersistentVolumeClaim",
}
Key = tuple[str, str]


def commands(page: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each command with kubectl, and the tiers that it is for: those that its section or the line before it names."""
    text = (ROOT / "docs" / "operations" / f"{page}.md").read_text(encoding="utf-8")
    section, before, fenced = "", "", False
    for line in text.splitlines():
        if line.startswith("#") and not fenced:
            section, before = line, ""
        elif line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced:
            yield from ((each, _tiers(before, section)) for each in [line.strip()] if "kubectl " in each)
        else:
            found = re.findall(r"`(kubectl [^`]+)`", line)
            yield from ((each, _tiers(line, section)) for each in found)
            before = line or before


def _tiers(*texts: str) -> tuple[str, ...]:
    for text in texts:
        said = {f"tier-{number}" for number in re.findall(r"\btier (5|10)\b", text, re.IGNORECASE)}
        if said:
            return tuple(sorted(said))
    return TIERS


def existing(manifests: Sequence[Manifest], folder: Path) -> set[Key]:
    """Kind and name of all there is: what is applied, the secrets, pods and volumes of StatefulSets, certificates."""
    found = {(each["kind"], each["metadata"]["name"]) for each in (*manifests, *secrets(folder))}
    found |= {("Secret", each["spec"]["tls"][0]["secretName"]) for each in of_kind(manifests, "Ingress")}
    for load in workloads(manifests):
        if load.kind == "StatefulSet":
            for number in range(load.replicas):
                found.add(("Pod", f"{load.name}-{number}"))
                found |= {
                    ("PersistentVolumeClaim", f"{claim['metadata']['name']}-{load.name}-{number}")
                    for claim in load.claims
                }
    return found


def objects(words: Sequence[str]) -> Iterator[Key]:
    """What a command of kubectl is about: KIND/NAME, or KIND NAME, or the pod of exec."""
    plain = [word for word in words if not word.startswith("-")]
    if plain[0] == "rollout":
        plain = plain[1:]
    for word in plain[1:]:
        kind, slash, name = word.partition("/")
        if slash and kind in KINDS:
            yield KINDS[kind], name
    first, second = (*plain[1:3], "", "")[:2]
    if plain[0] == "exec" and "/" not in first:
        yield "Pod", first
    elif second and first in KINDS:
        yield KINDS[first], second


def spoken(command: str) -> list[str]:
    """Words after ``kubectl -n leocdp``, up to a pipe; none for what is about the cluster."""
    words = shlex.split(command.partition("|")[0], comments=True)
    at = words.index("kubectl")
    return words[at + 3 :] if words[at + 1 : at + 3] == ["-n", "leocdp"] else []


@pytest.mark.parametrize("page", PAGES)
def test_objects_exist(page: str, tmp_path: Path) -> None:
    there = {tier: existing(overlay(tier), tmp_path) for tier in TIERS}
    asked = 0
    for command, tiers in commands(page):
        words = spoken(command)
        if words[:2] == ["create", "job"]:
            _check_source(command, words)
            for tier in TIERS:
                there[tier].add(("Job", words[2]))
        if not words or words[0] == "create":
            continue
        for key in objects(words):
            asked += 1
            assert all(key in there[tier] for tier in tiers), (command, key, tiers)
    assert asked


def _check_source(command: str, words: Sequence[str]) -> None:
    (source,) = [word.partition("=")[2] for word in words if word.startswith("--from=")]
    kind, _, name = source.partition("/")
    for tier in TIERS:
        assert named(overlay(tier), KINDS[kind], name), command


@pytest.mark.parametrize("page", PAGES)
def test_everything_else_that_commands_name_exists(page: str) -> None:
    for command, tiers in commands(page):
        words = shlex.split(command.partition("|")[0], comments=True)
        for folder in (after for word, after in pairwise(words) if word == "-k"):
            assert (ROOT / folder / "kustomization.yaml").exists(), command
        for selector in (after for word, after in pairwise(words) if word == "-l"):
            label, _, value = selector.partition("=")
            for tier in tiers:
                assert any(load.labels.get(label) == value for load in workloads(overlay(tier))), command
        for variable in re.findall(r"\bLEOCDP_\w+", command):
            assert f"`{variable}`" in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), command
        if "/opt/probe.py" in words:
            _, port = words[words.index("/opt/probe.py") + 1 :][:2]
            _check_port(words[words.index("exec") + 1], int(port))


def _check_port(target: str, port: int) -> None:
    name = re.sub(r"-\d+$", "", target.rpartition("/")[2])
    for tier in TIERS:
        load = next(each for each in workloads(overlay(tier)) if each.name == name)
        assert port in [each["containerPort"] for each in load.pod["containers"][0]["ports"]], target


def test_certificates_and_labels_are_those_that_the_manifests_ask_for() -> None:
    made = {spoken(command)[3] for command, _ in commands("install") if spoken(command)[:1] == ["create"]}
    text = (ROOT / "docs" / "operations" / "install.md").read_text(encoding="utf-8")
    for tier in TIERS:
        assert made == {each["spec"]["tls"][0]["secretName"] for each in of_kind(overlay(tier), "Ingress")}
        selected = {
            load.pod["nodeSelector"]["leocdp.io/role"]
            for load in workloads(overlay(tier))
            if "nodeSelector" in load.pod
        }
        assert all(f"`{role}`" in text for role in selected)
        addresses = named(overlay(tier), "ConfigMap", "leocdp-addresses")["data"]
        assert addresses["LEOCDP_COLLECT_URL"] + "/v1/identify" in text


def test_an_object_that_is_not_there_is_noticed() -> None:
    assert list(objects(spoken("kubectl -n leocdp delete pvc data-kafka-1 --wait=false"))) == [
        ("PersistentVolumeClaim", "data-kafka-1")
    ]
    assert list(objects(spoken("kubectl -n leocdp rollout status statefulset/none"))) == [("StatefulSet", "none")]
    assert list(objects(spoken("kubectl -n leocdp exec processor-0 -- python x"))) == [("Pod", "processor-0")]
    assert list(objects(spoken("kubectl -n leocdp get pods -o wide"))) == []


def test_an_installation_of_your_own_follows_from_the_edits_on_the_page(tmp_path: Path) -> None:
    """The lines that edit the overlay are run, on a copy: addresses, ingresses and images are one's own then."""
    shutil.copytree(ROOT / "deploy" / "k8s", tmp_path / "deploy" / "k8s")
    edits = [line for line in fenced("install") if line.startswith("sed -i ")]
    assert len(edits) == 2
    for line in edits:
        mine = line.replace("YOUR.DOMAIN", "shop.vn").replace("CDP.shop", "cdp.shop").replace("EVENTS.", "events.")
        subprocess.run(["sh", "-c", mine.replace("REGISTRY", "images.shop.vn/leocdp")], cwd=tmp_path, check=True)
    manifests = rendered(tmp_path / "deploy" / "k8s" / "overlays" / "tier-5")
    assert named(manifests, "ConfigMap", "leocdp-addresses")["data"] == {
        "LEOCDP_PUBLIC_URL": "https://cdp.shop.vn",
        "LEOCDP_COLLECT_URL": "https://events.shop.vn",
    }
    assert {each["spec"]["rules"][0]["host"] for each in of_kind(manifests, "Ingress")} == {
        "cdp.shop.vn",
        "events.shop.vn",
    }
    own = {container["image"] for load in workloads(manifests) for container in load.containers}
    assert {image.rpartition(":")[0] for image in own} == {
        *(f"images.shop.vn/leocdp/{name}" for name in ("observer", "processor", "admin", "gateway", "tools")),
        "apache/kafka",
        "arangodb",
    }


def fenced(page: str) -> list[str]:
    text = (ROOT / "docs" / "operations" / f"{page}.md").read_text(encoding="utf-8")
    return [line.strip() for block in text.split("```")[1::2] for line in block.splitlines()]


@pytest.mark.parametrize("page", sorted(file.stem for file in (ROOT / "docs" / "operations").glob("*.md")))
def test_scripts_metrics_alerts_and_commands_exist(page: str) -> None:
    text = (ROOT / "docs" / "operations" / f"{page}.md").read_text(encoding="utf-8")
    for script in re.findall(r"(?<![\w/.])deploy/k8s/([a-z-]+)(?![\w/-])", text):
        assert os.access(ROOT / "deploy" / "k8s" / script, os.X_OK), script
    metrics = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for metric in re.findall(r"\bleocdp_(?:observer|processor|admin|gateway|config)_\w+", text):
        assert f"`{metric}`" in metrics, metric
    rules = (ROOT / "deploy" / "monitoring" / "rules.yaml").read_text(encoding="utf-8")
    for alert in re.findall(r"\bLeoCdp[A-Z]\w+", text):
        assert f"alert: {alert}\n" in rules, alert
    commands_page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for line in [*fenced(page), *re.findall(r"`(leocdp [^`]+)`", text)]:
        if re.match(r"(LEOCDP_\w+=\S+ )?leocdp [a-z]", line):
            _check_command(line.partition("leocdp ")[2], commands_page)


def _check_command(words: str, page: str) -> None:
    """A command, or two words of one, with options that it has."""
    first, second = (*re.findall(r"[a-z][a-z-]*", words.partition(" -")[0])[:2], "", "")[:2]
    both = f"## `leocdp {first} {second}`"
    heading = both if both in page else f"## `leocdp {first}`"
    assert heading in page, words
    section = page.partition(heading)[2].partition("\n## ")[0]
    for option in re.findall(r"(?<!\S)--[a-z-]+", words.partition("#")[0]):
        assert f"`{option}`" in section, (words, option)
