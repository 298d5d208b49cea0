"""The script that makes secrets: all of them out of nothing, and never another value for one that is there."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.cluster import K8S

pytestmark = pytest.mark.needs("kubectl")

Secrets = dict[str, dict[str, str]]
# A cluster of files: templates are filled by the real kubectl, which does that without a cluster, too.
KUBECTL = """#!/bin/sh
[ "$1 $2 $3 $4" = "-n leocdp get secret" ] || exit 9
[ ! -e '{folder}/away' ] || {{ echo 'The connection was refused' >&2; exit 1; }}
file='{folder}'/"$5.json"
for last; do :; done
if [ -e "$file" ]; then exec '{real}' label --local -f "$file" looked=at -o "$last"; fi
case "$*" in *--ignore-not-found*) ;; *) exit 1 ;; esac
"""


class Cluster:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "kubectl"
        program.write_text(KUBECTL.format(folder=folder, real=shutil.which("kubectl")), encoding="utf-8")
        program.chmod(0o755)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        search = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [str(K8S / "make-secrets"), *words],
            env={**os.environ, "PATH": search},
            capture_output=True,
            text=True,
            check=False,
        )

    def apply(self, made: Secrets) -> None:
        for name, values in made.items():
            data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
            self.write(name, {**self.read(name), **data})

    def read(self, name: str) -> dict[str, str]:
        file = self.folder / f"{name}.json"
        found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))["data"] if file.exists() else {}
        return found

    def write(self, name: str, data: dict[str, str]) -> None:
        meta = {"name": name, "namespace": "leocdp"}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}
        (self.folder / f"{name}.json").write_text(json.dumps(secret), encoding="utf-8")


def made_by(done: subprocess.CompletedProcess[str]) -> Secrets:
    assert done.returncode == 0, done.stderr
    documents = yaml.safe_load_all(done.stdout)
    return {each["metadata"]["name"]: each["stringData"] for each in documents if each["kind"] == "Secret"}


def test_out_of_nothing_everything_is_made_once(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    first = cluster.run("lan@shop.vn")
    made = made_by(first)
    assert len(made) == 7
    assert made["leocdp-log"]["password"] == made["kafka"]["client"]
    assert made["leocdp-owner"]["password"] in first.stderr
    values = [value for each in made.values() for value in each.values()]
    assert len(set(values)) == len(values) - 1, "each is random, but the one that two have"
    cluster.apply(made)
    again = cluster.run("lan@shop.vn")
    assert made_by(again) == {}
    assert again.stderr.count("stays as it is") == 7
    assert "The first owner" not in again.stderr


def test_only_what_is_missing_is_made(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    made = made_by(cluster.run("lan@shop.vn"))
    cluster.apply(made)
    (tmp_path / "leocdp-log.json").unlink()
    (tmp_path / "leocdp-gateway.json").unlink()
    store = cluster.read("leocdp-store")
    del store["admin-password"]
    cluster.write("leocdp-store", store)
    second = made_by(cluster.run("lan@shop.vn"))
    assert {name: set(keys) for name, keys in second.items()} == {
        "leocdp-log": {"user", "password", "keda-sasl"},
        "leocdp-gateway": {"secret"},
        "leocdp-store": {"admin-password"},
    }
    assert second["leocdp-log"] == made["leocdp-log"], "Kafka knows the password already"
    (tmp_path / "kafka.json").unlink()
    cluster.apply(second)
    third = made_by(cluster.run("lan@shop.vn"))
    assert third["kafka"]["client"] == made["kafka"]["client"], "services have the password already"


def test_when_nobody_knows_what_is_there_nothing_is_made_unless_asked_for(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    (tmp_path / "away").touch()
    refused = cluster.run("lan@shop.vn")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "--again" in refused.stderr
    assert len(made_by(cluster.run("--again", "lan@shop.vn"))) == 7


@pytest.mark.parametrize("address", ["lan'; x", "lan nguyen", ""])
def test_what_is_no_address_is_refused(address: str, tmp_path: Path) -> None:
    done = Cluster(tmp_path).run("--again", address)
    assert done.returncode != 0
    assert done.stdout == ""
