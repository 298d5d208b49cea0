"""While something is replaced, or a server is emptied, the rest goes on: what the manifests promise for that."""

from __future__ import annotations

import pytest

from tests.deploy.cluster import NAME, TIERS, Manifest, named, of_kind, overlay

pytestmark = pytest.mark.needs("kubectl")

DATA = {"kafka", "arangodb", "arangodb-agent", "arangodb-dbserver", "arangodb-coordinator"}
ALONE = {"arangodb"}
"""Of which there is one: a budget would only keep a server from ever being emptied."""


@pytest.fixture(params=TIERS)
def manifests(request: pytest.FixtureRequest) -> tuple[Manifest, ...]:
    return overlay(request.param)


def test_a_pod_is_there_before_the_former_one_goes(manifests: tuple[Manifest, ...]) -> None:
    for each in of_kind(manifests, "Deployment"):
        assert each["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        pod = each["spec"]["template"]["spec"]
        # Endpoints are told a little later than the pod: until then it goes on taking what comes.
        assert pod["containers"][0]["lifecycle"]["preStop"], each["metadata"]["name"]


def test_pods_of_a_service_are_spread_over_its_servers(manifests: tuple[Manifest, ...]) -> None:
    for each in of_kind(manifests, "Deployment", "StatefulSet"):
        name, pod = each["metadata"]["name"], each["spec"]["template"]["spec"]
        if name in DATA:
            continue
        (spread,) = pod["topologySpreadConstraints"]
        assert (spread["topologyKey"], spread["maxSkew"]) == ("kubernetes.io/hostname", 1)
        assert spread["labelSelector"]["matchLabels"] == {NAME: name}


def test_members_that_hold_copies_are_on_servers_of_their_own(manifests: tuple[Manifest, ...]) -> None:
    for each in of_kind(manifests, "StatefulSet"):
        name, pod = each["metadata"]["name"], each["spec"]["template"]["spec"]
        if name in DATA - ALONE:
            (term,) = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
            assert term["topologyKey"] == "kubernetes.io/hostname", name
            assert term["labelSelector"]["matchLabels"] == {NAME: name}


def test_only_one_pod_of_each_is_taken_away_at_a_time(manifests: tuple[Manifest, ...]) -> None:
    budgets = {
        each["spec"]["selector"]["matchLabels"][NAME]: each["spec"]["maxUnavailable"]
        for each in of_kind(manifests, "PodDisruptionBudget")
    }
    there = {each["metadata"]["name"] for each in of_kind(manifests, "Deployment", "StatefulSet")}
    assert budgets == dict.fromkeys(there - ALONE, 1)


def test_what_holds_data_has_time_to_end(manifests: tuple[Manifest, ...]) -> None:
    for each in of_kind(manifests, "StatefulSet"):
        if each["metadata"]["name"] in DATA:
            assert each["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= 120, each["metadata"]["name"]


def test_a_processor_that_restarts_keeps_its_partitions(manifests: tuple[Manifest, ...]) -> None:
    """Its name is its membership, and the session outlives the time in which it drains."""
    (container,) = named(manifests, "StatefulSet", "processor")["spec"]["template"]["spec"]["containers"]
    variables = {each["name"]: each.get("value") for each in container["env"]}
    members = [each for each in container["env"] if each["name"] == "LEOCDP_LOG_MEMBER"]
    assert members[0]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert float(variables["LEOCDP_LOG_SESSION_TIMEOUT"] or 0) > float(variables["LEOCDP_SHUTDOWN_GRACE"] or 0)
