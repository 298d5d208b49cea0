"""The Compose files: what they name exists, fits together, and is closed as far as it can be."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from leocdp.adapters.engines import open_admin_store, open_event_log, open_profile_reader, open_profile_store
from leocdp.kit.settings import ServiceSettings
from tests.architecture.project import ROOT
from tests.deploy.compose_file import (
    FOLDER,
    JOBS,
    SERVICES,
    SETTINGS,
    addresses,
    env_file,
    load,
    make_secrets,
    variables,
)
from tests.deploy.dockerfile import Dockerfile

FILES = ("compose.yaml", "infrastructure.yaml")
OTHERS = ("kafka", "arangodb")
LISTENS = {"kafka": {19092}, "arangodb": {8529}}
SIZES = {"M": 1 << 20, "G": 1 << 30, "m": 1 << 20, "g": 1 << 30}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return make_secrets(tmp_path_factory.mktemp("secrets"))


@pytest.fixture(scope="module")
def compose(secrets: dict[str, str]) -> dict[str, Any]:
    return load("compose.yaml", secrets)


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    return found


def size(text: str) -> int:
    found = re.fullmatch(r"(\d+)([MGmg]?)", str(text))
    assert found, text
    return int(found[1]) * SIZES.get(found[2], 1)


def names_of(settings: type[BaseSettings]) -> set[str]:
    return {f"LEOCDP_{field.upper()}" for field in settings.model_fields}


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


@pytest.mark.parametrize("name", FILES)
def test_file_is_of_the_form_that_compose_reads(name: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FOLDER / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_of_a_system_is_there(services: dict[str, Any]) -> None:
    assert set(services) == {*OTHERS, *JOBS, *SERVICES, "tools"}


# settings


@pytest.mark.parametrize("service", SETTINGS)
def test_every_variable_is_a_setting_with_a_good_value(
    service: str, services: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = services[service]["environment"]
    known: set[str] = set()
    for name in [name for name in os.environ if name.startswith("LEOCDP_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        assert isinstance(value, str), f"{name} must be quoted: {value!r}"
        monkeypatch.setenv(name, value)
    for settings in SETTINGS[service]:
        settings()
        known |= names_of(settings)
    assert set(environment) - known == set()


def test_engines_are_those_of_the_settings(services: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("observer", "processor", "admin", "migrate"):
        for name, value in services[service]["environment"].items():
            monkeypatch.setenv(name, value)
        settings: Any = SETTINGS[service][0]()
        engines: list[object] = [open_event_log(settings)]
        if service in ("processor", "migrate"):
            engines.append(open_profile_store(settings))
        if service in ("admin", "migrate"):
            engines += [open_admin_store(settings), open_profile_reader(settings)]
        assert not [each for each in engines if "sqlite" in type(each).__module__]
        monkeypatch.undo()


def test_secrets_are_shared_by_those_who_need_them_and_no_others(services: dict[str, Any]) -> None:
    holders: dict[str, set[str]] = {}
    for name, service in services.items():
        for value in (service.get("environment") or {}).values():
            if re.fullmatch(r"[0-9a-f]{64}", value):
                holders.setdefault(value, set()).add(name)
    assert sorted(sorted(each) for each in holders.values()) == sorted(
        [
            ["arangodb", "database"],
            ["database", "migrate", "processor", "tools"],
            ["admin", "database", "migrate", "tools"],
            ["admin", "processor"],
            ["admin", "gateway", "tools"],
        ]
    )
    key = "LEOCDP_ERASURE_KEY"
    assert services["processor"]["environment"][key] == services["admin"]["environment"][key]


def test_nobody_is_the_superuser_of_the_database(services: dict[str, Any]) -> None:
    urls = [value for each in services.values() for value in each["environment"].values() if "arangodb://" in value]
    assert urls
    assert {re.sub(r".*//(.*)@.*", r"\1", url) for url in urls} == {"leocdp-processor", "leocdp-admin"}


@pytest.mark.parametrize("name", FILES)
def test_no_secret_stands_in_a_file(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    for line in text.splitlines():
        if re.search(r"(PASSWORD|SECRET|_KEY):", line):
            assert re.search(r": (&[a-z-]+ )?\"?\$\{[A-Z_]+:\?|: \*", line), line


def test_secrets_are_made_from_nothing_and_kept(tmp_path: Path) -> None:
    first = make_secrets(tmp_path, "lan@example.vn")
    assert first["OWNER_EMAIL"] == "lan@example.vn"
    assert make_secrets(tmp_path, "other@example.vn") == first
    needed = {variable for name in FILES for variable, must in variables(name).items() if must}
    assert needed == set(first)
    assert len(set(first.values())) == len(first)
    for file in (".env", "development.env"):
        assert stat.S_IMODE((tmp_path / file).stat().st_mode) == 0o600
        checked = subprocess.run(["git", "check-ignore", "-q", f"deploy/compose/{file}"], cwd=ROOT, check=False)
        assert checked.returncode == 0 or not (ROOT / ".git").exists()
    (tmp_path / ".env").write_text("OWNER_EMAIL=kept@example.vn\n", encoding="utf-8")
    added = make_secrets(tmp_path)
    assert added["OWNER_EMAIL"] == "kept@example.vn"
    assert set(added) == set(first)


def test_development_uses_the_infrastructure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_secrets(tmp_path)
    environment = env_file(tmp_path / "development.env")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = SETTINGS["migrate"][0]()
    assert names_of(type(settings)) >= set(environment)
    published = {
        port["host_ip"] + ":" + port["published"]
        for service in load("infrastructure.yaml", made)["services"].values()
        for port in service["ports"]
    }
    named = {re.sub(r".*(?://|@)([\d.]+:\d+).*", r"\1", value) for value in environment.values() if "://" in value}
    assert named == published == {"127.0.0.1:9092", "127.0.0.1:8529"}


# how it fits together


@pytest.mark.parametrize("name", FILES)
def test_images_are_pinned(name: str, secrets: dict[str, str]) -> None:
    for service in load(name, secrets)["services"].values():
        assert re.fullmatch(r"[a-z]+(/[a-z]+)?:\d+\.\d+\.\d+", service["image"]), service["image"]


def test_versions_are_those_that_are_tested(services: dict[str, Any]) -> None:
    pom = (ROOT / "scripts" / "kafka.pom.xml").read_text(encoding="utf-8")
    tested = re.search(r"kafka_2\.13</artifactId>\s*<version>([^<]+)", pom)
    assert tested
    assert services["kafka"]["image"] == f"apache/kafka:{tested[1]}"
    for name in (*SERVICES, *JOBS, "tools"):
        folder = {"gateway": "services/api-gateway"}.get(name, f"services/{name}" if name in SERVICES else "cli")
        project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert services[name]["image"] == f"leocdp/{name if name in SERVICES else 'tools'}:{project['version']}"
    workflow = (ROOT / ".github/workflows/arangodb.yml").read_text(encoding="utf-8")
    assert services["arangodb"]["image"] in workflow


def test_our_images_are_built_from_the_dockerfile(services: dict[str, Any], dockerfile: Dockerfile) -> None:
    for name in (*SERVICES, *JOBS, "tools"):
        build = services[name]["build"]
        assert (FOLDER / build["context"]).resolve() == ROOT
        assert (ROOT / build["dockerfile"]).is_file()
        assert build["target"] == (name if name in SERVICES else "tools")
        assert build["target"] in dockerfile.stages
        assert set(build["args"]) <= set(dockerfile.arguments)
        user = dockerfile.last(build["target"], "USER")
        assert user is not None
        assert services[name]["user"] == user.text


@pytest.mark.parametrize("name", FILES)
def test_networks_volumes_and_configs_exist_and_are_used(name: str, secrets: dict[str, str]) -> None:
    file = load(name, secrets)
    services = file["services"].values()
    assert {each for service in services for each in service.get("networks", ())} == set(file.get("networks", {}))
    mounted = [each.partition(":")[0] for service in services for each in service.get("volumes", ())]
    assert sorted(mounted) == sorted(file["volumes"])
    used = {each["source"] for service in services for each in service.get("configs", ())}
    assert used == set(file["configs"])
    assert all((FOLDER / each["file"]).is_file() for each in file["configs"].values())


def ports_of(name: str, services: dict[str, Any], dockerfile: Dockerfile) -> set[int]:
    if name in LISTENS:
        return LISTENS[name]
    return {
        int(each.text) for stage in dockerfile.chain(services[name]["build"]["target"]) for each in stage.all("EXPOSE")
    }


def test_every_address_leads_to_a_port_on_a_common_network(services: dict[str, Any], dockerfile: Dockerfile) -> None:
    found = list(addresses({name: services[name] for name in (*SERVICES, *JOBS, "tools")}))
    assert len(found) > 10
    for each in found:
        if each.host == "localhost":
            continue
        assert each.host in services, each
        assert each.port in ports_of(each.host, services, dockerfile), each
        assert set(services[each.service]["networks"]) & set(services[each.host]["networks"]), each
    assert services["tools"]["environment"]["LEOCDP_HOST"] == "admin"
    assert "front" in services["tools"]["networks"]


def test_ports_of_the_machine_lead_to_services_on_an_open_network(
    compose: dict[str, Any], services: dict[str, Any], dockerfile: Dockerfile
) -> None:
    open_to_all = {name for name, network in compose["networks"].items() if not (network or {}).get("internal")}
    published = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    assert set(published) == {"observer", "gateway"}
    for name, ports in published.items():
        for port in ports:
            assert port["target"] in ports_of(name, services, dockerfile)
            assert port["host_ip"] == "127.0.0.1"
        assert set(services[name]["networks"]) & open_to_all
    gateway, observer = (services["admin"]["environment"][f"LEOCDP_{name}_URL"] for name in ("PUBLIC", "COLLECT"))
    assert gateway.endswith(f":{published['gateway'][0]['published']}")
    assert observer.endswith(f":{published['observer'][0]['published']}")


def test_nobody_reaches_what_he_does_not_need(services: dict[str, Any]) -> None:
    networks = {name: set(service["networks"]) for name, service in services.items()}
    assert "store" not in networks["observer"] | networks["gateway"] | networks["topics"]
    assert "log" not in networks["gateway"]
    assert [name for name in networks if "out" in networks[name]] == ["processor"]
    assert networks["kafka"] == {"log"}
    assert networks["arangodb"] == {"store"}


def test_dependencies_exist_and_can_be_met(services: dict[str, Any]) -> None:
    order: list[str] = []

    def visit(name: str, above: tuple[str, ...] = ()) -> None:
        assert name not in above, f"a circle: {above}"
        for needed, how in services[name].get("depends_on", {}).items():
            condition = how["condition"]
            assert condition != "service_healthy" or "healthcheck" in services[needed], (name, needed)
            assert (condition == "service_completed_successfully") == (needed in JOBS), (name, needed)
            visit(needed, (*above, name))
        if name not in order:
            order.append(name)

    for name in services:
        visit(name)
    assert order.index("migrate") < order.index("processor")
    assert order.index("topics") < order.index("observer")


def test_health_checks_ask_the_service_itself(services: dict[str, Any], dockerfile: Dockerfile) -> None:
    for name in SERVICES:
        test = services[name]["healthcheck"]["test"]
        image = dockerfile.last(name, "HEALTHCHECK")
        assert image is not None
        command = json.loads(image.text[image.text.index("[") :])
        assert test == ["CMD", *command, "/readyz"]
        assert command[3] in names_of(SETTINGS[name][0])
    assert all("healthcheck" in services[name] for name in OTHERS)


# limits and doors


@pytest.mark.parametrize("name", FILES)
def test_containers_can_do_no_more_than_they_must(name: str, secrets: dict[str, str]) -> None:
    for container, service in load(name, secrets)["services"].items():
        assert service["read_only"] is True, container
        assert any(each.startswith("/tmp:") for each in service["tmpfs"]), container
        assert service["cap_drop"] == ["ALL"], container
        assert service["security_opt"] == ["no-new-privileges:true"], container
        assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), container
        assert service["restart"] == ("no" if container in (*JOBS, "tools") else "unless-stopped"), container
        assert size(service["deploy"]["resources"]["limits"]["memory"]) >= 128 << 20, container
        assert service["logging"]["options"]["max-size"], container
        assert not service.get("privileged")


def test_a_stop_leaves_time_to_drain(services: dict[str, Any]) -> None:
    grace = ServiceSettings.model_fields["shutdown_grace"].default
    for name in SERVICES:
        assert seconds(services[name]["stop_grace_period"]) > grace + 10


def test_memory_of_kafka_and_the_database_fits_their_limits(services: dict[str, Any]) -> None:
    heap = re.search(r"-Xmx(\S+)", services["kafka"]["environment"]["KAFKA_HEAP_OPTS"])
    assert heap
    assert size(heap[1]) * 2 <= size(services["kafka"]["deploy"]["resources"]["limits"]["memory"])
    options = dict(each.removeprefix("--").split("=") for each in services["arangodb"]["command"][1:])
    limit = size(services["arangodb"]["deploy"]["resources"]["limits"]["memory"])
    told = size(services["arangodb"]["environment"]["ARANGODB_OVERRIDE_DETECTED_TOTAL_MEMORY"])
    parts = ("rocksdb.block-cache-size", "rocksdb.total-write-buffer-size", "cache.size", "query.global-memory-limit")
    assert sum(int(options[part]) for part in parts) < told < limit
    assert options["transaction.streaming-idle-timeout"] == "10"


@pytest.mark.parametrize("name", OTHERS)
def test_infrastructure_is_the_same_with_doors(name: str, secrets: dict[str, str]) -> None:
    everything, alone = (load(file, secrets)["services"][name] for file in FILES)
    different = {key for key in {*everything, *alone} if everything.get(key) != alone.get(key)}
    assert different == {"networks", "ports"} | ({"environment"} if name == "kafka" else set())
    if name == "kafka":
        one, other = everything["environment"], alone["environment"]
        changed = {key for key in {*one, *other} if one.get(key) != other.get(key)}
        assert changed == {
            "KAFKA_LISTENERS",
            "KAFKA_ADVERTISED_LISTENERS",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
        }
