"""Copy what the pages need from node_modules to ``leocdp_admin/static/vendor`` (run by the build and ``make setup``).

Installs from the lock file first when needed. Icons become one SVG sprite that holds only those in :data:`ICONS`;
every text file also gets a compressed twin, which the static file server prefers.
"""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
MODULES: Final = HERE / "node_modules"
VENDOR: Final = HERE / "leocdp_admin" / "static" / "vendor"

FILES: Final = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
    "@tabler/core/dist/js/tabler.min.js": "tabler.min.js",
    "@tabler/icons/LICENSE": "icons.LICENSE.txt",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE.txt",
    "echarts/dist/echarts.common.min.js": "echarts.min.js",
    "echarts/LICENSE": "echarts.LICENSE.txt",
    "echarts/NOTICE": "echarts.NOTICE.txt",
}

ICONS: Final = (
    *("activity", "adjustments", "alert-circle", "alert-triangle", "arrow-back-up", "arrow-left", "arrow-right"),
    *("arrows-join", "arrows-split-2", "arrows-sort", "at", "ban", "bolt", "book", "browser", "building-store"),
    *("calendar", "check", "chevron-down", "chevron-right", "circle-check", "circle-dashed", "clipboard-list", "clock"),
    *("cloud-off", "code", "copy", "database", "device-desktop", "device-mobile", "dots", "eye", "file-text"),
    *("fingerprint", "git-merge", "heart-rate-monitor", "history", "home", "hourglass", "id", "id-badge-2", "inbox"),
    *("info-circle", "key", "language", "layout-list", "link", "login-2", "logout", "mail", "menu-2", "moon"),
    *("mood-empty", "pencil", "phone", "player-pause", "player-play", "plug", "plus", "refresh", "rotate", "route"),
    *("search", "server", "settings", "shield-check", "shield-lock", "sun", "tag", "tags", "trash", "trending-up"),
    *("unlink", "user", "user-check", "user-circle", "user-plus", "user-question", "user-share", "users"),
    *("users-group", "world", "x", "zoom-question"),
)


def main() -> int:
    install()
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, name in FILES.items():
        text = (MODULES / source).read_text(encoding="utf-8")
        write(VENDOR / name, re.sub(r"\n?(//|/\*)# sourceMappingURL=\S+( \*/)?\s*$", "\n", text))
    write(VENDOR / "icons.svg", sprite())
    print(f"Assets are in {VENDOR.relative_to(HERE)}: {len(FILES)} files and {len(ICONS)} icons.")
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


def sprite() -> str:
    """One SVG file with a symbol per icon, used as ``<use href="…/icons.svg#name">``."""
    symbols = "".join(symbol(name) for name in ICONS)
    return f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>\n'


def symbol(name: str) -> str:
    """The drawing of an icon, without the invisible frame that the originals carry."""
    text = (MODULES / "@tabler/icons/icons/outline" / f"{name}.svg").read_text(encoding="utf-8")
    inner = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    inner = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>', "", inner)
    inner = re.sub(r"\s*\n\s*", "", inner)
    return f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>'


def write(path: Path, text: str) -> None:
    data = text.encode("utf-8")
    path.write_bytes(data)
    if path.suffix in {".css", ".js", ".svg"}:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    sys.exit(main())
