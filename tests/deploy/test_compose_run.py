"""The commands and environments of the Compose file, from an empty Kafka and database to a person's profile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.deploy.compose_file import JOBS, SERVICES, load, make_secrets
from tests.deploy.composed import AsComposed, Composed
from tests.deploy.dockerfile import Dockerfile
from tests.doubles.arangodb.double import running
from tests.faults.stack import wait_for
from tests.kafka import SMALL, running_cluster
from tests.ports import free_ports

PORTS = {"observer": 8080, "processor": 8070, "admin": 8090, "gateway": 8000}


@contextmanager
def composed(folder: Path, dockerfile: Dockerfile) -> Iterator[tuple[Composed, AsComposed, dict[str, str]]]:
    """Nothing runs yet but the database."""
    secrets = make_secrets(folder)
    services = load("compose.yaml", secrets)["services"]
    broker, controller, *free = free_ports(2 + len(PORTS))
    ports = dict(zip(PORTS, free, strict=True))
    places = {f"{name}:{PORTS[name]}": f"127.0.0.1:{port}" for name, port in ports.items()}
    places |= {"kafka:19092": f"127.0.0.1:{broker}", "kafka:29093": f"127.0.0.1:{controller}"}
    places |= {"://:19092": f"://127.0.0.1:{broker}", "://:29093": f"://127.0.0.1:{controller}"}
    places |= {"/var/lib/kafka": str(folder / "kafka")}
    with running(password=secrets["ARANGODB_ROOT_PASSWORD"]) as double:
        places["arangodb:8529"] = double.url.removeprefix("http://")
        here = Composed(services, dockerfile, folder, places, ports)
        cluster = AsComposed.make(folder / "kafka", ports=[broker])
        assert isinstance(cluster, AsComposed)
        cluster.given = {name: here.here(value) for name, value in services["kafka"]["environment"].items()}
        cluster.jvm = SMALL
        try:
            yield here, cluster, secrets
        finally:
            here.stop()


@pytest.mark.timeout(300)
def test_jobs_prepare_and_services_run(tmp_path: Path, dockerfile: Dockerfile, need: Callable[[str], None]) -> None:
    need("kafka")
    with composed(tmp_path, dockerfile) as (here, cluster, secrets):
        for job in ("topics", "database"):
            here.start(job)  # before there is a Kafka: it waits
        here.finish("database")
        wait_for(lambda: "waiting" in here.said("topics"), 30, lambda: here.said("topics"))
        with running_cluster(cluster):
            here.finish("topics")
            here.start("migrate")
            here.finish("migrate")
            for service in ("observer", "processor", "admin"):
                here.start(service)
            here.wait_healthy("admin")
            here.start("gateway")
            for service in SERVICES:
                here.wait_healthy(service)
            a_person_comes_through(here, secrets)
            the_jobs_can_be_done_again(here)
            ended = here.stop()
    assert set(ended.values()) <= {0, -15}, ended
    kept = {name: sorted(path.name for path in (tmp_path / name).iterdir()) for name in (*SERVICES, *JOBS)}
    assert not any(kept.values()), f"containers keep nothing of their own: {kept}"


def a_person_comes_through(here: Composed, secrets: dict[str, str]) -> None:
    """An event into the observer, a profile out of the gateway."""
    (owner,) = json.loads(here.tool("user", "list", "--json"))
    assert (owner["email"], owner["role"]) == (secrets["OWNER_EMAIL"], "owner")
    status = json.loads(here.tool("status", "--json"))
    assert {each["name"]: each["ready"] for each in status["services"]} == dict.fromkeys(SERVICES, True), status
    key = json.loads(here.tool("key", "create", "reader", "--scope", "profiles:read", "--json"))["secret"]
    sent = httpx.post(
        f"http://127.0.0.1:{here.ports['observer']}/v1/identify",
        auth=(secrets["WRITE_KEY"], ""),
        json={"userId": "u-1", "traits": {"name": "Nguyễn Thị Lan"}},
    )
    assert sent.status_code == 200, sent.text

    def profile() -> httpx.Response:
        url = f"http://127.0.0.1:{here.ports['gateway']}/api/v1/profiles/user_id:u-1"
        return httpx.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=60)

    wait_for(lambda: profile().status_code == 200, 60, lambda: f"{profile().text}\n{here.said('processor')}")
    assert "Nguyễn Thị Lan" in profile().text


def the_jobs_can_be_done_again(here: Composed) -> None:
    """As every start of the containers does them, beside services that run."""
    for job in JOBS:
        here.start(job)
        here.finish(job)
    assert here.tool("topics", "--check").count("leocdp.") == 7
    shown = json.loads(here.tool("migrate", "--check", "--json"))
    assert [(each["name"], each["version"] == each["known"]) for each in shown] == [("profiles", True), ("admin", True)]
