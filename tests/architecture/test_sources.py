"""Rules of the house that can be read off the sources."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.project import PACKAGES, ROOT, modules, own_files, texts

LONGEST = 400
LONGER_WITH_A_REASON = {
    "shared/leocdp/adapters/arango/profiles/aql.py": "all AQL texts stand together, where one test parses each of them",
    "tests/fakes/segment_strategies.py": "conditions, people and events are drawn together, to meet at every edge",
    "tests/contract/admin_store.py": "one suite holds the whole contract of a port",
}
"""Beginning of a path → why files there are longer."""
FORBIDDEN_NAMES = {"utils.py", "util.py", "helpers.py", "common.py", "manager.py", "misc.py"}
SPEAK_TO_A_PERSON = {"leocdp_admin.bootstrap", "leocdp_admin.i18n.extract"}
"""Modules that print: the first-login link on a terminal, and a tool of developers."""
IMPURE = {"time.time", "time.time_ns", "time.monotonic", "datetime.now", "datetime.utcnow", "date.today"}
IMPURE |= {"uuid.uuid4", "uuid4", "uuid1", "os.urandom", "open", "print", "input"}


def python_sources() -> Iterator[tuple[str, str]]:
    for path, text in texts():
        if path.suffix == ".py":
            yield path.as_posix(), text


def test_no_file_is_too_long() -> None:
    lengths = {path: text.count("\n") for path, text in python_sources()}
    long = {path for path, lines in lengths.items() if lines > LONGEST}
    excused = {path for path in long for start in LONGER_WITH_A_REASON if path.startswith(start)}
    assert not {path: lengths[path] for path in long - excused}
    assert all(any(path.startswith(start) for path in excused) for start in LONGER_WITH_A_REASON), "no longer needed"


def test_names_say_something() -> None:
    assert not [path for path, _ in python_sources() if path.rpartition("/")[2] in FORBIDDEN_NAMES]


def test_no_exception_is_swallowed_without_a_word() -> None:
    found = []
    for path, text in python_sources():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ExceptHandler) and all(
                isinstance(each, ast.Pass)
                or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) and each.value.value is ...)
                for each in node.body
            ):
                found.append(f"{path}:{node.lineno}")
    assert not found


def test_services_log_instead_of_printing() -> None:
    """Words for a person at a terminal go to standard error; everything else is a log line."""
    found = []
    for module in modules().values():
        if module.name.startswith("leocdp_cli") or module.name in SPEAK_TO_A_PERSON:
            continue
        calls = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
        for call in calls:
            if ast.unparse(call.func) == "print" and "file=sys.stderr" not in ast.unparse(call):
                found.append(f"{module.name}:{call.lineno}")
    assert not found


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X|NotImplemented[E]rror)\b")
    assert not [path for path, text in python_sources() if marks.search(text)]


def test_domain_asks_no_clock_no_dice_and_no_disk() -> None:
    found = []
    for module in modules().values():
        if not module.name.startswith("leocdp.domain"):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in IMPURE:
                found.append(f"{module.name}:{node.lineno} {ast.unparse(node.func)}")
    assert not found


def test_every_package_is_typed() -> None:
    assert not [name for name, folder in PACKAGES.items() if not (ROOT / folder / name / "py.typed").exists()]


def test_services_have_the_same_three_doors() -> None:
    services = [name for name in PACKAGES if name not in ("leocdp", "leocdp_cli")]
    wanted = {f"{name}.{part}" for name in services for part in ("settings", "environment", "app", "__main__")}
    assert wanted - set(modules()) == set()


def test_no_folder_is_empty_of_meaning() -> None:
    """A folder exists when its first content does: one with nothing but an empty __init__.py has none."""
    folders = {path.parent for path in own_files()}
    hollow = []
    for folder in folders:
        inside = [path for path in own_files() if folder in path.parents]
        if all(path.name in ("__init__.py", "py.typed", ".gitkeep") and not path.stat().st_size for path in inside):
            hollow.append(str(folder.relative_to(ROOT)))
    assert not hollow
