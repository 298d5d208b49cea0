"""Dockerfiles as far as ours go: stages of instructions, and the files that a ``.dockerignore`` lets through."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

VARIABLE = re.compile(r"\$(?:\{(\w+)(?::([+?-])([^}]*))?\}|(\w+))")


@dataclass(frozen=True, slots=True)
class Instruction:
    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Of the exec form, or what spaces separate."""
        if self.text.startswith("["):
            words: list[str] = json.loads(self.text)
            return words
        return self.text.split()

    @property
    def options(self) -> dict[str, str]:
        return dict(word.removeprefix("--").split("=", 1) for word in self.text.split() if word.startswith("--"))

    @property
    def arguments(self) -> list[str]:
        return [word for word in self.words if not word.startswith("--")]


@dataclass(slots=True)
class Stage:
    name: str
    base: str
    """A stage before it, or an image with its tag and perhaps digest."""
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Instruction]:
        return (each for each in self.instructions if each.name == name)


@dataclass(slots=True)
class Dockerfile:
    stages: dict[str, Stage]
    arguments: dict[str, str]
    """Those before the first stage, with their defaults."""

    def chain(self, name: str) -> list[Stage]:
        """The stage and those it is made from, the first one first."""
        stage = self.stages[name]
        return [*(self.chain(stage.base) if stage.base in self.stages else []), stage]

    def last(self, name: str, instruction: str) -> Instruction | None:
        """What holds in an image of an instruction that later ones replace."""
        found = [each for stage in self.chain(name) for each in stage.all(instruction)]
        return found[-1] if found else None

    def environment(self, name: str) -> dict[str, str]:
        """What ENV sets, over that of an image whose PATH is the usual one."""
        found = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
        for stage in self.chain(name):
            for each in stage.all("ENV"):
                for key, value in (word.split("=", 1) for word in each.text.split()):
                    found[key] = expand(value, found)
        return found


def parse(text: str, given: Mapping[str, str] | None = None) -> Dockerfile:
    """``given``: build arguments of the command line."""
    file = Dockerfile({}, {})
    stage: Stage | None = None
    for instruction in instructions(text):
        if instruction.name == "FROM":
            base, _, name = instruction.text.partition(" AS ")
            stage = Stage(name.strip(), expand(base.strip(), file.arguments))
            file.stages[stage.name] = stage
        elif stage is not None:
            stage.instructions.append(instruction)
        else:
            assert instruction.name == "ARG", instruction
            key, _, value = instruction.text.partition("=")
            file.arguments[key] = (given or {}).get(key, value)
    return file


def instructions(text: str) -> Iterator[Instruction]:
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    for line in re.split(r"(?<!\\)\n", "\n".join(lines)):
        name, _, rest = line.replace("\\\n", " ").partition(" ")
        yield Instruction(name.upper(), re.sub(r"\s+", " ", rest).strip())


def expand(text: str, values: Mapping[str, str]) -> str:
    """``$name``, ``${name}``, ``${name:-default}``, ``${name:+text}`` and ``${name:?why it must be there}``."""

    def one(found: re.Match[str]) -> str:
        value = values.get(found[1] or found[4], "")
        if found[2] == "-":
            return value or expand(found[3], values)
        if found[2] == "?" and not value:
            raise KeyError(f"{found[1]}: {found[3]}")
        if found[2] == "+":
            return expand(found[3], values) if value else ""
        return value

    return VARIABLE.sub(one, text)


class Context:
    """The files that a build may copy: all of a folder that its ``.dockerignore`` does not keep out."""

    def __init__(self, root: Path, rules: str) -> None:
        self.root = root
        lines = [line.strip() for line in rules.splitlines()]
        self._rules = [
            (line.startswith("!"), _pattern(line.lstrip("!").strip("/")))
            for line in lines
            if line and not line.startswith("#")
        ]

    def holds(self, path: PurePosixPath) -> bool:
        """Relative to the root. The last rule that matches the path or a folder above it decides."""
        kept = True
        names = [str(path), *(str(parent) for parent in path.parents if parent.parts)]
        for keeps, pattern in self._rules:
            if any(pattern.fullmatch(name) for name in names):
                kept = keeps
        return kept

    def files(self, source: str) -> Iterator[PurePosixPath]:
        """All that ``source``, a file or a folder, brings. A folder that is kept out may still hold what is let in."""
        path = self.root / source
        below: Sequence[Path] = sorted(path.rglob("*")) if path.is_dir() else [path]
        for each in below:
            relative = PurePosixPath(each.relative_to(self.root).as_posix())
            if each.is_file() and self.holds(relative):
                yield relative


def _pattern(text: str) -> re.Pattern[str]:
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(parts.get(each, re.escape(each)) for each in re.split(r"(\*\*/|\*\*|\*|\?)", text)))
