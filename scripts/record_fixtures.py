"""Record what this version writes, for the tests that later versions must pass: ``tests/fixtures/released/<version>``.

Run it once for every release, and commit what it makes with the release. A folder of a former release is never touched.
"""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.unit.upgrade.recording import record  # noqa: E402 - the tests are found by the line before


def main() -> None:
    folder = ROOT / "tests" / "fixtures" / "released" / version("leocdp")
    if folder.exists() and "--again" not in sys.argv[1:]:
        sys.exit(f"{folder} is there. A release is recorded once; before it is out, use --again.")
    asyncio.run(record(folder))
    print(f"Recorded into {folder.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
