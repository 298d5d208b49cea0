"""kubectl, which is asked and never told to change anything."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from leocdp_cli.failure import CommandFailed, Unreachable

Document = Mapping[str, Any]
"""One object of the cluster, as the API writes it."""
ANSWER: Final = 60.0
"""Seconds in which kubectl has to answer."""
ABSENT: Final = ("NotFound", "doesn't have a resource type", "could not find the requested resource")
"""What kubectl says of a kind or an object that the cluster does not have."""


LOGGED: Final = re.compile(r"[EWI]\d{4} [\d:.]+ ")


class Denied(Exception):
    """The cluster does not let this user read it. The text is kubectl's."""


class Kubectl:
    def __init__(self, namespace: str, context: str = "", program: str = "kubectl") -> None:
        self.namespace = namespace
        self._program = program
        self._context = ["--context", context] if context else []

    def get(self, kind: str, *names: str) -> list[Document]:
        """All objects of a kind, or those of the names that there are. Raises Denied, Unreachable."""
        done = self._run(
            [*self._context, "-n", self.namespace, "get", kind, *names, "--ignore-not-found", "-o", "json"]
        )
        if done.returncode == 0:
            return list(_documents(done.stdout))
        said = _said(done.stderr)
        if "Forbidden" in said or "forbidden" in said:
            raise Denied(said)
        if any(each in said for each in ABSENT):
            return []
        raise Unreachable(f"kubectl get {kind}: {said}")

    def rendered(self, folder: Path) -> list[Document]:
        """What ``kubectl apply -k`` would apply. Raises CommandFailed. Nothing is asked of the cluster."""
        yaml = self._run(["kustomize", str(folder)])
        if yaml.returncode != 0:
            raise CommandFailed(f"{folder} does not render: {_said(yaml.stderr)}")
        # kubectl itself is the one that surely reads what it has written: a label that nobody uses, set nowhere.
        as_json = self._run(["label", "--local", "-f", "-", "-o", "json", "leocdp.io/looked-at=yes"], yaml.stdout)
        if as_json.returncode != 0:
            raise CommandFailed(f"{folder} cannot be read: {_said(as_json.stderr)}")
        return list(_documents(as_json.stdout))

    def _run(self, words: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603 - words of ours, no shell
                [self._program, *words], input=given, capture_output=True, text=True, check=False, timeout=ANSWER
            )
        except FileNotFoundError:
            raise Unreachable(
                "kubectl is not on the PATH: install it, or run this on the machine that you operate the cluster from."
            ) from None
        except subprocess.TimeoutExpired:
            raise Unreachable(f"kubectl {' '.join(words)} has not answered for {ANSWER:.0f} seconds.") from None


def _said(stderr: str) -> str:
    """Without the lines of its log, of which there are many before the one sentence."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return " ".join([line for line in lines if not LOGGED.match(line)] or lines[-1:])


def _documents(text: str) -> Iterator[Document]:
    """One after the other, lists opened; nothing when there was nothing to print."""
    decoder, at = json.JSONDecoder(), 0
    text = text.strip()
    while at < len(text):
        found, end = decoder.raw_decode(text, at)
        if found.get("kind", "").endswith("List") and "items" in found:
            yield from found["items"]
        else:
            yield found
        at = end + len(text[end:]) - len(text[end:].lstrip())
