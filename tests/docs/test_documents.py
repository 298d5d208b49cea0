"""The documents say what is so: generated pages are current, links lead somewhere, commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from leocdp_cli.app import app
from tests.architecture.project import ROOT, own_files

PAGES = [path for path in own_files() if path.suffix == ".md"]
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, the way they are made for reading on the web."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower() for heading in headings)
    return {text.replace(" ", "-") for text in plain}


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    broken = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_generated_pages_are_current() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "generate_docs.py"), "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_make_targets_in_documents_exist() -> None:
    named = {
        target for page in PAGES for target in re.findall(r"\bmake ([a-z]+)\b", _code(page.read_text(encoding="utf-8")))
    }
    assert named
    assert named - targets() == set()


def test_help_names_the_commands_for_users() -> None:
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"make ([a-z]+)", shown))
    assert {"run", "demo", "test", "verify", "bench", "fmt", "clean"} <= listed <= targets()


def commands() -> dict[str, set[str]]:
    """Command line → its options."""
    return dict(_walk(typer.main.get_command(app), "leocdp"))


def _walk(command: object, path: str) -> Iterator[tuple[str, set[str]]]:
    yield path, {option for each in getattr(command, "params", []) for option in [*each.opts, *each.secondary_opts]}
    for name, child in getattr(command, "commands", {}).items():
        yield from _walk(child, f"{path} {name}")


def test_leocdp_commands_in_documents_exist() -> None:
    known = commands()
    problems = []
    for page in PAGES:
        if page.name == "cli.md":
            continue
        for line in re.findall(
            r"(?<![\w/.-])(?<!-n )leocdp((?: [a-z][\w-]*)+)(.*)", _code(page.read_text(encoding="utf-8"))
        ):
            words = line[0].split()
            path = next(
                (found for size in (2, 1) if (found := " ".join(["leocdp", *words[:size]])) in known), "leocdp ?"
            )
            options = set(re.findall(r"(--[a-z-]+)", line[1].partition("`")[0].partition("#")[0]))
            if path == "leocdp ?" or options - known[path] - {"--help"}:
                problems.append(f"{page.name}: leocdp {line[0].strip()} {line[1].strip()}")
    assert not problems


def _code(text: str) -> str:
    """What stands in code: fenced blocks and spans, one per line."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
    return "\n".join([*blocks, *spans])


def test_every_decision_is_dated_and_listed() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.match(rf"# {page.name[:4]}\. .+\n\nDate: \d{{4}}-\d\d-\d\d\. Status: ", text), page.name
        assert f"({page.name})" in index, page.name
        assert {"## Context", "## Decision", "## Consequences"} <= set(text.splitlines()), page.name


def test_changelog_keeps_its_form() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading) for heading in headings[1:])
