"""A real Apache Kafka on this machine, from its published jars: for ``make kafka`` and for the tests.

``python scripts/kafka.py [--data FOLDER] [--port PORT]`` starts one node (KRaft, no ZooKeeper) in the foreground and
stops it on Ctrl-C. Needs Java 17 or newer, and Maven for the first start. Standard library only.
"""

from __future__ import annotations

import argparse
import base64
import ctypes
import hashlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
POM = ROOT / "scripts" / "kafka.pom.xml"
BUILD = ROOT / "build" / "kafka"
JAVA_AT_LEAST = 17
STARTED = "Kafka Server started"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
PORTS = range(20_000, 32_768)


class Stop(SystemExit):
    """Ends with a sentence that says what to do."""


# jars


def jars() -> Path:
    """The folder of Kafka's jars, filled by Maven the first time. Raises Stop."""
    check_java()
    folder = BUILD / hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    if folder.exists():
        return folder
    if shutil.which("mvn") is None:
        raise Stop("Maven is not installed; it fetches Kafka's jars. On Debian and Ubuntu: apt-get install maven.")
    print("• fetching Apache Kafka (about 45 MB, only the first time)", flush=True)
    filling = folder.with_suffix(f".{os.getpid()}")
    command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    done = subprocess.run(
        [*command, f"-DoutputDirectory={filling}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(filling, ignore_errors=True)
        raise Stop("\n".join(done.stdout.splitlines()[-15:]) + "\nMaven could not fetch Kafka's jars; see above.")
    try:
        filling.rename(folder)
    except OSError:  # Somebody else was faster.
        shutil.rmtree(filling, ignore_errors=True)
    return folder


def check_java() -> None:
    """Raises Stop when there is no Java that runs Kafka."""
    wanted = (
        f"Kafka needs Java {JAVA_AT_LEAST} or newer. On Debian and Ubuntu: apt-get install openjdk-17-jre-headless."
    )
    if shutil.which("java") is None:
        raise Stop(f"Java is not installed. {wanted}")
    shown = subprocess.run(["java", "-version"], capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r'version "(\d+)', shown.stderr + shown.stdout)
    if found is None or int(found.group(1)) < JAVA_AT_LEAST:
        raise Stop(f"{(shown.stderr or 'java does not run.').splitlines()[0]} {wanted}")


def _java(*arguments: str, options: Sequence[str] = ()) -> list[str]:
    quiet = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"]
    quiet.append("-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info")
    # Short-lived and small: compiling a little is enough, and one collector thread leaves the cores to others.
    return ["java", "-XX:+UseSerialGC", *options, *quiet, "-cp", f"{jars()}/*", *arguments]


# ports and processes


def free_ports(count: int) -> list[int]:
    """Below those that a system gives to connections of its own, so that none takes a port before its service does."""
    ports: list[int] = []
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        if not taken(port):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise Stop(f"Fewer than {count} ports are free between {PORTS.start} and {PORTS.stop}.")


def taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _die_with_parent() -> None:
    """Linux: the broker ends when whoever started it is killed, so that no run leaves one behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


@dataclass
class Node:
    """One broker and controller of a cluster, in a folder of its own."""

    number: int
    folder: Path
    port: int
    controller_port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> Path:
        return self.folder / "server.log"

    def launch(self, options: Sequence[str]) -> None:
        command = _java("kafka.Kafka", str(self.folder / "server.properties"), options=options)
        with self.output.open("wb") as stream:
            # Ctrl-C goes to this program, which then stops the broker; so the broker gets a session of its own.
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def wait_started(self) -> None:
        """Raises Stop with what the broker said when it does not come up."""
        deadline = time.monotonic() + START_SECONDS
        while STARTED not in (said := self.output.read_text(errors="replace")):
            dead = self.process is None or self.process.poll() is not None
            if dead or time.monotonic() > deadline:
                last = "\n".join(said.splitlines()[-15:])
                raise Stop(f"{last}\nKafka did not start; what it said stands above and in {self.output}.")
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut does it to the process: kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass
class Cluster:
    """Brokers on this machine. ``create`` a new one, or ``open`` what a folder holds."""

    folder: Path
    nodes: list[Node]
    properties: Mapping[str, str] = field(default_factory=dict)
    """Settings of the brokers besides the usual ones."""
    listeners: Mapping[str, int] = field(default_factory=dict)
    """More doors of the first node: name → port."""
    protocols: Mapping[str, str] = field(default_factory=dict)
    """What is spoken at a door, where that is not its name."""
    format_options: Sequence[str] = ()
    jvm: Sequence[str] = ("-Xmx512m",)

    @classmethod
    def make(cls, folder: Path, count: int = 1, *, ports: Sequence[int] = ()) -> Cluster:
        """A cluster of ``count`` nodes. ``ports`` are those of the brokers, free ones if not given."""
        free = free_ports(2 * count)
        chosen = list(ports) or free[:count]
        nodes = [Node(n + 1, folder / f"node-{n + 1}", chosen[n], free[count + n]) for n in range(count)]
        return cls(folder, nodes)

    @property
    def servers(self) -> str:
        return ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    @property
    def url(self) -> str:
        """Value for LEOCDP_LOG_URL."""
        return f"kafka://{self.servers}"

    def start(self) -> None:
        """Start all nodes and wait until they answer. Formats the folders the first time. Raises Stop."""
        cluster_id = self._cluster_id()
        for node in self.nodes:
            node.folder.mkdir(parents=True, exist_ok=True)
            self._write_properties(node)
            if not (node.folder / "data" / "meta.properties").exists():
                self._format(node, cluster_id)
        for node in self.nodes:
            self.launch(node)
        for node in self.nodes:
            node.wait_started()

    def launch(self, node: Node) -> None:
        """Start a node that has been there before; ``wait_started`` tells when it is back. Not for short-lived threads:
        a broker ends with the thread that launched it."""
        node.launch(self.jvm)

    def stop(self) -> None:
        for node in self.nodes:
            if node.process is not None and node.process.poll() is None:
                node.process.terminate()
        for node in self.nodes:
            node.stop()

    def _cluster_id(self) -> str:
        path = self.folder / "cluster.id"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A"))
        return path.read_text()

    def _format(self, node: Node, cluster_id: str) -> None:
        tool = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(node.folder / "server.properties")]
        command = _java(*tool, *self.format_options, options=["-XX:TieredStopAtLevel=1"])
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Stop(f"{done.stdout}{done.stderr}\nThe folder {node.folder} could not be prepared for Kafka.")

    def _write_properties(self, node: Node) -> None:
        doors = {"PLAINTEXT": node.port, **(self.listeners if node is self.nodes[0] else {})}
        addresses = ",".join(f"{name}://127.0.0.1:{port}" for name, port in doors.items())
        names = ["CONTROLLER:PLAINTEXT", *(f"{name}:{self.protocols.get(name, name)}" for name in doors)]
        copies = min(3, len(self.nodes))
        lines = {
            "process.roles": "broker,controller",
            "node.id": str(node.number),
            "controller.quorum.voters": ",".join(f"{n.number}@127.0.0.1:{n.controller_port}" for n in self.nodes),
            "listeners": f"{addresses},CONTROLLER://127.0.0.1:{node.controller_port}",
            "advertised.listeners": addresses,
            "listener.security.protocol.map": ",".join(names),
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(node.folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": str(copies),
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": str(copies),
            "transaction.state.log.min.isr": str(max(1, copies - 1)),
            "share.coordinator.state.topic.replication.factor": str(copies),
            "share.coordinator.state.topic.min.isr": str(max(1, copies - 1)),
            "group.initial.rebalance.delay.ms": "0",
            # Small machine, few clients: fewer threads, and index files that do not claim 10 MB each.
            "num.network.threads": "2",
            "num.io.threads": "4",
            "log.index.size.max.bytes": "1048576",
            **self.properties,
        }
        text = "".join(f"{key}={value}\n" for key, value in lines.items())
        (node.folder / "server.properties").write_text(text, encoding="utf-8")


# make kafka


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("LEOCDP_DATA_DIR") or ROOT / "var") / "kafka"
    parser.add_argument("--data", type=Path, default=data, help="folder of the broker's data (default: %(default)s)")
    parser.add_argument("--port", type=int, default=9092, help="port of the broker (default: %(default)s)")
    options = parser.parse_args(arguments)
    if taken(options.port):
        raise Stop(f"Port {options.port} is in use by another program; choose another one with --port.")
    cluster = Cluster.make(options.data.resolve(), ports=[options.port])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        cluster.start()
        print(_welcome(cluster), flush=True)
        process = cluster.nodes[0].process
        assert process is not None
        status = process.wait()
        print(f"Kafka ended by itself (status {status}); see {cluster.nodes[0].output}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopping Kafka.", flush=True)
        return 0
    finally:
        cluster.stop()


def _welcome(cluster: Cluster) -> str:
    return (
        f"Kafka is ready at {cluster.servers}; its data is in {cluster.folder}. Ctrl-C stops it.\n"
        f"Use it as the event log, in another terminal:\n\n  LEOCDP_LOG_URL={cluster.url} make run\n"
    )


if __name__ == "__main__":
    sys.exit(main())
