"""Runs the benchmarks of ``tests/bench``, prints one table and writes docs/benchmarks.md with the machine.

``python scripts/bench.py [--full] [--people N] [--events N] [NAME…]`` (``make bench ARGS="observer"``): only modules
whose name contains one of the words; ``--full`` adds the large sizes, which take tens of minutes. ``--people`` and
``--events`` (of each) are the size of ``scale`` (``make bench ARGS="scale --people 2000000"``). Each runs in a process
of its own. Exit status 1 when one fails; a missed target is shown, not a failure.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "bench"
PAGE = ROOT / "docs" / "benchmarks.md"
MARK = "<!-- What follows is kept by scripts/bench.py. -->"
HEADINGS = ("what", "median", "unit", "lowest–highest (runs)", "limit of the same run", "ratio", "target", "")
sys.path.insert(0, str(ROOT))

from tests.bench.figures import Figure  # noqa: E402 - the line above makes it importable


def benchmarks(words: list[str]) -> list[str]:
    """Names of the modules with a ``main`` that gives figures."""
    names = [path.stem for path in sorted(FOLDER.glob("*.py")) if gives_figures(path)]
    return [name for name in names if not words or any(word in name for word in words)]


def gives_figures(path: Path) -> bool:
    functions = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    return any(one.name == "main" and one.returns and "Figure" in ast.unparse(one.returns) for one in functions)


def asked() -> argparse.Namespace:
    """What stands on the command line. Exits with status 2 and the name of what makes no sense."""
    parser = argparse.ArgumentParser(description="Measure speed on this machine.")
    parser.add_argument("words", nargs="*", metavar="NAME")
    parser.add_argument("--full", action="store_true", help="the large sizes")
    parser.add_argument("--people", type=amount, help="of scale: people; at least 1,000, by thousands")
    parser.add_argument("--events", type=int, choices=range(1, 101), metavar="1…100", help="of scale: of each person")
    return parser.parse_args()


def amount(text: str) -> int:
    number = int(text)
    if number < 1_000 or number % 1_000:
        raise argparse.ArgumentTypeError("not thousands of people")
    return number


def run(name: str, wanted: argparse.Namespace) -> list[Figure]:
    """The figures of one benchmark. Raises CalledProcessError."""
    code = (
        "import dataclasses, importlib, json, sys\n"
        f"figures = importlib.import_module('tests.bench.{name}').main()\n"
        "json.dump([dataclasses.asdict(each) for each in figures], open(sys.argv[1], 'w'))\n"
    )
    result = ROOT / "build" / f"bench-{name}.json"
    result.parent.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "LEOCDP_BENCH_FULL": "1" if wanted.full else "",
        "LEOCDP_BENCH_PEOPLE": str(wanted.people or ""),
        "LEOCDP_BENCH_EVENTS": str(wanted.events or ""),
    }
    subprocess.run([sys.executable, "-c", code, str(result)], cwd=ROOT, env=environment, check=True)
    return [Figure(**each) for each in json.loads(result.read_text(encoding="utf-8"))]


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def cells(each: Figure) -> tuple[str, ...]:
    sign = "≤" if each.at_most else "≥"
    return (
        each.what + (f" ({each.note})" if each.note else ""),
        number(each.value),
        each.unit,
        f"{number(each.low)}–{number(each.high)} ({each.runs})",
        f"{number(each.limit)} ({each.limit_of})" if each.limit else "",
        f"{each.ratio:.2f}" if each.ratio is not None else "",
        f"{sign} {each.target:g}" if each.target is not None else "",
        "" if each.meets is None else "met" if each.meets else "missed",
    )


def table(figures: list[Figure]) -> str:
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *map(cells, figures)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> str:
    cpus = Path("/proc/cpuinfo")
    models = [line.partition(":")[2].strip() for line in cpus.read_text().splitlines() if "model name" in line]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = models[0] if models else platform.processor() or platform.machine()
    return (
        f"{os.cpu_count()} cores ({processor}), {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def write_page(figures: list[Figure], load: float) -> None:
    """The first table is made anew; what stands below the mark is of runs that a day's bench does not repeat."""
    day = datetime.now(UTC).date().isoformat()
    _, mark, kept = PAGE.read_text(encoding="utf-8").partition(MARK) if PAGE.exists() else ("", "", "")
    PAGE.write_text(
        f"# Benchmarks\n\nMeasured on {day} by `make bench` on this machine: {machine()}.\n\n"
        "Figures drift with the machine; the ratio to what the same run measured as the limit does so much less. "
        f"Client and server share the cores; before the run other programs kept {load:.1f} of them busy.\n\n"
        + table(figures)
        + "\n\n"
        + (mark or MARK)
        + (kept or "\n"),
        encoding="utf-8",
    )


def main() -> int:
    wanted = asked()
    names = benchmarks(wanted.words)
    if not names:
        print("No benchmark has such a name.", file=sys.stderr)
        return 1
    figures: list[Figure] = []
    load = os.getloadavg()[0]
    failed = []
    for name in names:
        print(f"• {name}", flush=True)
        try:
            figures += run(name, wanted)
        except subprocess.CalledProcessError:
            failed.append(name)
    print(table(figures))
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
        return 1
    if not wanted.words:
        write_page(figures, load)
        print(f"Written to {PAGE.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
