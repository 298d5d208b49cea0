"""Copy Segment's browser bundle from node_modules to ``leocdp_observer/assets`` (run by the build and ``make setup``).

Installs from the lock file first when needed. The observer serves these files on the loader path; without them it
collects events all the same, and says on that path how to get them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
MODULES: Final = HERE / "node_modules"
PACKAGE: Final = MODULES / "@segment" / "analytics-next"
ASSETS: Final = HERE / "leocdp_observer" / "assets"


def main() -> int:
    install()
    shutil.rmtree(ASSETS, ignore_errors=True)
    ASSETS.mkdir(parents=True)
    bundles = [PACKAGE / "dist" / "umd" / "standalone.js", *sorted((PACKAGE / "dist" / "umd").glob("*.bundle.*.js"))]
    for path in bundles:
        text = re.sub(r"\n?//# sourceMappingURL=\S+\s*$", "\n", path.read_text(encoding="utf-8"))
        (ASSETS / path.name).write_text(text, encoding="utf-8")
    shutil.copyfile(PACKAGE / "LICENSE.MD", ASSETS / "LICENSE.md")
    print(f"Assets are in {ASSETS.relative_to(HERE)}: {len(bundles)} files.")
    return 0


def install() -> None:
    """``npm ci``, unless the modules are already those of the lock file."""
    done = MODULES / ".package-lock.json"
    lock = HERE / "package-lock.json"
    if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm was not found: install Node.js 20 or later, then run this again.")
    subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True)  # noqa: S603
    done.touch()


if __name__ == "__main__":
    sys.exit(main())
