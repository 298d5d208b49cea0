"""Alerts and dashboard: they are valid, fire when they should, ask for what is measured, and lead to a runbook."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from leocdp.kit.metric_catalogue import MetricSpec
from leocdp.kit.metrics import catalogue
from tests.architecture.project import ROOT
from tests.deploy.cluster import K8S, NAME, TIERS, of_kind, overlay, workloads
from tests.deploy.promql import matched, metrics

FOLDER = ROOT / "deploy" / "monitoring"
COMPONENT = K8S / "components" / "monitoring"
RULES = FOLDER / "rules.yaml"
OF_TARGETS = {"job", "service", "instance"}
PARTS = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in load(RULES)["groups"] for rule in group["rules"]}


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    return found


def of_dashboard() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel.get("targets", [])]


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def ours() -> dict[str, MetricSpec]:
    """Every name under which a metric of ours is collected."""
    return {spec.name + part: spec for spec in catalogue() for part in PARTS[spec.kind]}


def of_others() -> set[str]:
    """The metrics whose source is listed at the head of the rules."""
    return set(re.findall(r"^#   (\w+)  +\S", RULES.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.needs("promtool")
def test_rules_are_valid() -> None:
    promtool("check", "rules", RULES)


@pytest.mark.needs("promtool")
def test_alerts_fire_when_they_should() -> None:
    promtool("test", "rules", FOLDER / "rules_test.yaml")


def test_every_alert_is_shown_to_fire_and_to_stay_quiet() -> None:
    shown = [each for test in load(FOLDER / "rules_test.yaml")["tests"] for each in test["alert_rule_test"]]
    fires = {each["alertname"] for each in shown if each.get("exp_alerts")}
    quiet = {each["alertname"] for each in shown if not each.get("exp_alerts")}
    assert fires == quiet == set(alerts())


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_what_it_is_and_where_help_is(name: str) -> None:
    rule = alerts()[name]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"].endswith(".")
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    sections = re.split(r"^## ", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = [text for text in sections if text.partition("\n")[0].lower().replace(" ", "-") == anchor]
    assert len(found) == 1, anchor
    assert f"`{name}`, {rule['labels']['severity']}: " in found[0]
    for words in ("**Customers notice**", "**Look at**", "**Do**"):
        assert words in found[0], (anchor, words)


@pytest.mark.parametrize("expression", [*(rule["expr"] for rule in alerts().values()), *of_dashboard()])
def test_what_is_asked_for_is_measured(expression: str) -> None:
    names = metrics(expression)
    assert names
    assert names <= ours().keys() | of_others()
    for name, label in matched(expression):
        if name in ours():
            assert label in {*ours()[name].labels, *OF_TARGETS, "le"}, (name, label)


def test_the_list_of_others_has_what_is_used_and_no_more() -> None:
    used = {name for rule in alerts().values() for name in metrics(rule["expr"])}
    assert of_others() == used - ours().keys()


def test_names_are_found_in_expressions() -> None:
    found = metrics('sum by (le) (rate(a_total{b="c_d"}[5m])) / on (x) e unless f offset 15m > 1e3 * time()')
    assert found == {"a_total", "e", "f"}
    assert list(matched('a{b="{", c=~"d"} or e{f!="g"}')) == [("a", "b"), ("a", "c"), ("e", "f")]


@pytest.mark.needs("promtool")
def test_expressions_of_the_dashboard_are_valid(tmp_path: Path) -> None:
    rules = [
        {"record": f"dashboard:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(of_dashboard())
    ]
    file = tmp_path / "dashboard.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    promtool("check", "rules", file)


def test_the_dashboard_has_its_rows_and_shows_every_metric_of_ours() -> None:
    rows = [panel["title"] for panel in panels() if panel["type"] == "row"]
    assert rows == ["Observers", "Log", "Processors", "Segments", "Store", "Admin and gateway"]
    shown = {ours()[name] for expression in of_dashboard() for name in metrics(expression) if name in ours()}
    assert {spec.name for spec in catalogue()} == {spec.name for spec in shown}


def test_panels_have_a_number_of_their_own_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    cells = [cell for panel in panels() for cell in _cells(panel["gridPos"])]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert all(panel["description"] for panel in panels() if panel["type"] != "row")


def _cells(at: dict[str, int]) -> Iterator[tuple[int, int]]:
    yield from ((at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"]))


def test_the_component_has_the_same_rules() -> None:
    (rule,) = [each for each in _component() if each["kind"] == "PrometheusRule"]
    assert rule["spec"] == load(RULES)


def _component() -> list[dict[str, Any]]:
    files = load(COMPONENT / "kustomization.yaml")["resources"]
    return [each for file in files for each in yaml.safe_load_all((COMPONENT / file).read_text(encoding="utf-8"))]


@pytest.mark.needs("kubectl")
@pytest.mark.parametrize("tier", TIERS)
def test_the_pods_with_metrics_are_asked_with_the_labels_of_the_rules(tier: str) -> None:
    (monitor,) = [each for each in _component() if each["kind"] == "PodMonitor"]
    (expression,) = monitor["spec"]["selector"]["matchExpressions"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    annotated = {}
    for each in of_kind(overlay(tier), "Deployment", "StatefulSet"):
        template = each["spec"]["template"]
        if template["metadata"].get("annotations", {}).get("prometheus.io/scrape") == "true":
            annotated[template["metadata"]["labels"][NAME]] = template
    assert (expression["key"], expression["operator"]) == (NAME, "In")
    assert set(expression["values"]) == set(annotated)
    for template in annotated.values():
        ports = {port["name"]: port["containerPort"] for port in template["spec"]["containers"][0]["ports"]}
        assert str(ports[endpoint["port"]]) == template["metadata"]["annotations"]["prometheus.io/port"]
        assert endpoint["path"] == template["metadata"]["annotations"]["prometheus.io/path"]
    given = {each["targetLabel"]: each for each in endpoint["relabelings"]}
    assert set(given) == OF_TARGETS
    assert given["job"]["replacement"] == "leocdp"
    assert given["service"]["sourceLabels"] == [f"__meta_kubernetes_pod_label_{_plain(NAME)}"]


@pytest.mark.needs("kubectl")
def test_without_the_operator_targets_have_the_same_labels() -> None:
    document = load(FOLDER / "scrape.yaml")
    assert all((FOLDER / file).exists() for file in document["rule_files"])
    (job,) = document["scrape_configs"]
    assert job["job_name"] == "leocdp"
    wanted = {each.get("target_label") for each in job["relabel_configs"]}
    assert wanted == {None, "__address__", "__metrics_path__", "service", "instance"}
    template = next(each for each in of_kind(overlay("tier-5"), "Deployment"))["spec"]["template"]["metadata"]
    known = {f"__meta_kubernetes_pod_annotation_{_plain(each)}" for each in template["annotations"]}
    known |= {f"__meta_kubernetes_pod_label_{_plain(each)}" for each in template["labels"]}
    known |= {"__meta_kubernetes_pod_ip", "__meta_kubernetes_pod_name"}
    assert {source for each in job["relabel_configs"] for source in each["source_labels"]} <= known


def _plain(name: str) -> str:
    return re.sub(r"\W", "_", name)


@pytest.mark.needs("kubectl")
@pytest.mark.parametrize("tier", TIERS)
def test_every_volume_is_watched_by_one_limit(tier: str) -> None:
    expression = alerts()["LeoCdpDiskNearlyFull"]["expr"]
    patterns = set(re.findall(r'persistentvolumeclaim=~"([^"]+)"', expression))
    volumes = [
        f"{claim['metadata']['name']}-{each.name}-0" for each in workloads(overlay(tier)) for claim in each.claims
    ]
    assert volumes
    for volume in volumes:
        assert sum(re.fullmatch(pattern, volume) is not None for pattern in patterns) == 1, volume
