"""Backup and restore of ArangoDB by the scripts of the manifests; ArangoDB's own tools are stand-ins here."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.backup_site import SCRIPTS, Run, Site, site
from tests.deploy.cluster import K8S, TIERS, named, overlay
from tests.faults.stack import wait_for

pytestmark = pytest.mark.timeout(300)

EVENTS = 1_200
"""More than one portion of what the tools fetch."""


def fill(made: Site) -> None:
    profiles = made.database("profiles")
    profiles.collection("events").insert_many([{"_key": f"{n:015}", "leaf": f"p{n % 7}"} for n in range(EVENTS)])
    profiles.collection("profiles").insert_many([{"_key": f"p{n}", "name": "Đặng Thị Hoa"} for n in range(7)])
    made.database("admin").collection("admin_users").insert({"_key": "u1", "email": "lan@example.vn"})


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("backup")
    with site(folder / "source", folder / "backups") as made:
        made.prepare()
        fill(made)
        yield made


@pytest.fixture(scope="module")
def backup(source: Site) -> Path:
    """One that is good."""
    assert source.run().last["event"] == "backup done"
    (made,) = backups(source)
    return made


@pytest.fixture
def target(source: Site, tmp_path: Path) -> Iterator[Site]:
    """Another server, prepared and empty, that sees the same backups."""
    with site(tmp_path, source.backups) as made:
        made.prepare()
        yield made


def backups(made: Site) -> list[Path]:
    return sorted(each for each in made.backups.iterdir() if not each.name.startswith("."))


def held(made: Site) -> bool:
    """What ``leocdp barrier show`` tells, without starting it each time."""
    head: Any = made.database("profiles").collection("ledger").get("head")
    return head.get("barrier") is not None


def paused(run: Run, made: Site, database: str) -> None:
    """Waits until the dump of a database is in its middle."""
    reached = made.pauses / f"{database}.reached"
    wait_for(lambda: reached.exists() or run.backup.poll() is not None, 120, lambda: "the dump was not begun")
    assert run.backup.poll() is None, run.wait()
    reached.unlink()


def test_a_backup_is_the_same_elsewhere(source: Site, target: Site) -> None:
    """Also when admin's data was written to during its dump; and nothing is held afterwards, here nor there."""
    (source.pauses / "admin").touch()
    run = source.start()
    paused(run, source, "admin")
    source.database("admin").collection("admin_ledger").update({"_key": "head", "audit": 1})
    source.database("admin").collection("admin_audit").insert({"_key": "1", "at": 1})
    (source.pauses / "admin").unlink()
    assert run.wait() == 0, run.said
    assert run.last["event"] == "backup done"
    assert not held(source)
    backup = source.backups / run.last["name"]
    manifest = json.loads((backup / "manifest.json").read_bytes())
    assert manifest["databases"]["profiles"]["collections"]["events"] == EVENTS
    assert manifest["databases"]["admin"]["collections"]["admin_audit"] == 1
    assert {"name", "barrier", "began", "held_seconds", "product", "bytes"} <= manifest.keys()
    assert not any(path.stat().st_mode & 0o077 for path in backup.rglob("*"))

    restored = target.run(RESTORE=backup.name)
    assert restored.last["event"] == "restore done", restored.said
    assert not held(target)
    assert _lasting(target) == _lasting(source)
    shutil.rmtree(backup)


def _lasting(made: Site) -> dict[str, Any]:
    """All that the stores hold, but the barrier."""
    found = made.documents("profiles") | made.documents("admin")
    turn = {"barrier", "recent", "turn"}
    found["ledger/head"] = {name: value for name, value in found["ledger/head"].items() if name not in turn}
    return found


def test_a_dump_without_an_unbroken_barrier_is_no_backup(backup: Path, source: Site) -> None:
    """Nothing of it is kept."""
    (source.pauses / "profiles").touch()
    run = source.start()
    paused(run, source, "profiles")
    assert source.cli("barrier", "lift").returncode == 0
    (source.pauses / "profiles").unlink()
    assert run.wait() == 1
    assert run.last["event"] == "backup failed"
    assert backups(source) == [backup]


def test_what_is_stopped_in_the_middle_lifts_the_barrier(backup: Path, source: Site) -> None:
    (source.pauses / "profiles").touch()
    run = source.start()
    paused(run, source, "profiles")
    assert held(source)
    second = source.run()
    assert "another backup or restore works" in second.last["reason"]
    assert held(source), "whoever comes second leaves the barrier alone"
    run.backup.send_signal(signal.SIGTERM)
    assert run.wait() == 1
    (source.pauses / "profiles").unlink()
    assert run.last["reason"] == "it was told to stop"
    assert not held(source)
    assert backups(source) == [backup]


def test_a_dump_that_is_not_complete_lifts_the_barrier(backup: Path, source: Site) -> None:
    (source.backups / "20200101-000000.partial").mkdir()
    (source.pauses / "profiles").touch()
    run = source.start()
    paused(run, source, "profiles")
    source.database("profiles").collection("commands").insert({"_key": "1"})
    (source.pauses / "profiles").unlink()
    assert run.wait() == 1
    assert run.last["reason"] == "the dump of profiles is not complete: commands 0 of 1"
    assert not held(source)
    assert backups(source) == [backup], "what was killed went with this one"


def _no_manifest(backup: Path) -> str:
    (backup / "manifest.json").unlink()
    return "it has no manifest.json"


def _other_bytes(backup: Path) -> str:
    file = next((backup / "profiles").glob("events_*.data.json.gz"))
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()).replace(b"p3", b"p4")))
    return f"{file.name} is not what was dumped"


def _cut_off(backup: Path) -> str:
    file = next((backup / "profiles").glob("events_*.data.json.gz"))
    file.write_bytes(file.read_bytes()[:-20])
    return "cannot be read"


def _without_mark(backup: Path) -> str:
    """As a dump would look that was made by hand, with a manifest that fits it."""
    manifest = json.loads((backup / "manifest.json").read_bytes())
    manifest["barrier"] = "of-another-time"
    (backup / "manifest.json").write_text(json.dumps(manifest))
    return "does not hold the mark"


def test_what_is_no_backup_is_not_restored(backup: Path, target: Site) -> None:
    before = target.documents("profiles")
    spoilers: list[Callable[[Path], str]] = [_no_manifest, _other_bytes, _cut_off, _without_mark]
    for number, spoil in enumerate(spoilers):
        copy = backup.with_name(f"20200101-00000{number}")
        shutil.copytree(backup, copy)
        reason = spoil(copy)
        run = target.run(RESTORE=copy.name)
        shutil.rmtree(copy)
        assert run.last["event"] == "restore failed"
        assert reason in run.last["reason"]
    assert target.documents("profiles") == before


def test_a_database_that_holds_something_is_spared(backup: Path, target: Site) -> None:
    target.database("profiles").collection("events").insert({"_key": "of-somebody-else"})
    run = target.run(RESTORE=backup.name)
    assert "is not empty: events" in run.last["reason"]
    assert target.run(RESTORE=backup.name, RESTORE_OVER="true").last["event"] == "restore done"
    assert target.database("profiles").collection("events").count() == EVENTS


def test_a_cluster_has_to_be_laid_out_for_atomic_commits(backup: Path, target: Site) -> None:
    target.double.server.role = "COORDINATOR"
    assert "has one copy only" in target.run(RESTORE=backup.name).last["reason"]
    for name in ("profiles", "admin"):
        for collection in target.double.server.databases[name].collections.values():
            collection.properties = {**collection.properties, "replicationFactor": 2}
    events = target.double.server.databases["profiles"].collections["events"]
    laid_out = events.properties
    events.properties = {name: value for name, value in laid_out.items() if name != "distributeShardsLike"}
    reason = target.run(RESTORE=backup.name).last["reason"]
    assert "profiles/events is not laid out for atomic commits" in reason
    events.properties = laid_out
    assert target.run(RESTORE=backup.name).last["event"] == "restore done"


def test_old_backups_go_and_the_last_good_one_never(backup: Path, source: Site) -> None:
    """None go for one that failed, nor for one of a database that has been emptied."""
    old = [backup.with_name(f"2020010{day}-000000") for day in range(1, 4)]
    for each in old:
        shutil.copytree(backup, each)
    assert source.run(KEEP="1", LEOCDP_STORE_PASSWORD="wrong").last["event"] == "backup failed"
    assert backups(source) == [*old, backup]
    done = source.run(KEEP="0").last
    assert done["kept"] == [done["name"]]
    assert done["removed"] == [*(each.name for each in old), backup.name]
    source.database("profiles").collection("events").truncate()
    emptied = source.run(KEEP="1").last
    assert emptied["kept"] == [done["name"], emptied["name"]]


def test_the_folder_can_be_reached_until_one_is_done_with_it(source: Site) -> None:
    open_ = source.start(FILES="300")
    assert open_.backup.stdout is not None
    assert "files can be reached" in open_.backup.stdout.readline()
    assert source.run(FILES="0").last["event"] == "files can be reached"
    assert open_.backup.poll() is None
    open_.backup.send_signal(signal.SIGTERM)
    assert open_.wait() == 0


@pytest.fixture
def manifest() -> dict[str, Any]:
    documents = yaml.safe_load_all((SCRIPTS / "backup.yaml").read_text(encoding="utf-8"))
    return next(each for each in documents if each["kind"] == "CronJob")


def test_the_pod_has_time_and_room_for_what_it_is_told(manifest: dict[str, Any]) -> None:
    job = manifest["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    values = {entry["name"]: entry.get("value") for entry in pod["containers"][0]["env"]}
    assert int(values["HOLD_MINUTES"]) * 60 < job["activeDeadlineSeconds"]
    assert manifest["spec"]["concurrencyPolicy"] == "Forbid"
    assert {each["restartPolicy"] for each in (pod,)} == {"Never"}
    files = yaml.safe_load((SCRIPTS / "kustomization.yaml").read_text(encoding="utf-8"))
    scripts = {each.name for each in SCRIPTS.iterdir() if each.suffix in (".py", ".sh")}
    assert set(files["configMapGenerator"][0]["files"]) == scripts


@pytest.mark.needs("kubectl")
@pytest.mark.parametrize("tier", TIERS)
def test_while_a_backup_is_restored_nobody_uses_the_database(tier: str) -> None:
    usual, restoring = overlay(tier), overlay(f"{tier}-restoring")
    changed = {(each["kind"], each["metadata"]["name"]): each for each in restoring if each not in usual}
    assert named(restoring, "CronJob", "backup")["spec"]["suspend"] is True
    asleep = {("StatefulSet", "processor"), ("Deployment", "admin")}
    assert all(changed[key]["spec"]["replicas"] == 0 for key in asleep)
    kafka = {("StatefulSet", "kafka")} if tier == "tier-10" else set()
    assert changed.keys() == asleep | kafka | {("CronJob", "backup")}
    assert len(usual) == len(restoring)


KUBECTL = """#!/bin/sh
case "$*" in
    *" create job "*) cat "$CLUSTER/job.json" ;;
    *" apply "*) cat > "$CLUSTER/applied.yaml" ;;
    *" delete job "*) ;;
    *) exec "$REAL" "$@" ;;
esac
"""
"""What would ask a cluster has a stand-in; the rest is kubectl."""


@pytest.mark.needs("kubectl")
def test_a_restore_is_the_backup_told_to_restore(tmp_path: Path) -> None:
    job = named(overlay("tier-5"), "CronJob", "backup")["spec"]["jobTemplate"]
    meta = {"name": "restore-20261125-190000", "namespace": "leocdp"}
    made = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": job["spec"]}
    (tmp_path / "job.json").write_text(json.dumps(made))
    real = shutil.which("kubectl")
    assert real is not None
    shim = tmp_path / "kubectl"
    shim.write_text(KUBECTL)
    shim.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CLUSTER": str(tmp_path), "REAL": real, "HOME": str(tmp_path)}
    subprocess.run([K8S / "backup-files"], env=env, check=True, capture_output=True)
    decides = yaml.safe_load((tmp_path / "applied.yaml").read_text())["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "FILES", "value": "3600"} in decides["env"]
    subprocess.run([K8S / "restore", "--over", "20261125-190000"], env=env, check=True, capture_output=True)
    applied = yaml.safe_load((tmp_path / "applied.yaml").read_text(encoding="utf-8"))
    applied["metadata"].pop("creationTimestamp", None)
    applied["spec"]["template"]["metadata"].pop("creationTimestamp", None)
    applied.pop("status", None)
    kubernetes_validate.validate(applied, "1.32", strict=True)
    decides, tool = applied["spec"]["template"]["spec"]["containers"]
    variables = {each["name"]: each.get("value") for each in decides["env"]}
    assert (variables["RESTORE"], variables["RESTORE_OVER"]) == ("20261125-190000", "true")
    assert [each["name"] for each in tool["env"]] == ["HANDOVER"]
    refused = subprocess.run([K8S / "restore", "../else"], env=env, check=False, capture_output=True)
    assert refused.returncode == 2
