"""Templates keep the promises of the pages: no inline styles or scripts, known icons, nothing unescaped by accident."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from leocdp_admin.i18n.catalogues import LANGUAGES
from leocdp_admin.views.rendering import TEMPLATES_DIR, environment
from leocdp_admin.views.words import KIND_ICONS, TYPE_ICONS

BUILD = Path(__file__).parents[3] / "services" / "admin" / "build_assets.py"
TEMPLATES = sorted(TEMPLATES_DIR.glob("*.html"))
VIEWS = sorted((TEMPLATES_DIR.parent / "views").rglob("*.py"))


def icons_of_the_sprite() -> set[str]:
    spec = importlib.util.spec_from_file_location("build_assets", BUILD)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return set(module.ICONS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_compiles(language: str) -> None:
    for path in TEMPLATES:
        environment(language).get_template(path.name)


def test_every_icon_is_in_the_sprite() -> None:
    used = set(KIND_ICONS.values()) | set(TYPE_ICONS.values())
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r"icon\('([a-z0-9-]+)'", text))
        for conditional in re.findall(r"icon\(([^)]*)\)", text):
            used |= set(re.findall(r"(?:^|else )'([a-z0-9-]+)'", conditional))
        used |= set(re.findall(r"(?:nav_item\('\w+', '[^']*'|empty\()[, ]*'([a-z0-9-]+)'", text))
    for path in VIEWS:
        used |= set(re.findall(r'picture="([a-z0-9-]+)"', path.read_text(encoding="utf-8")))
    assert used - icons_of_the_sprite() == set()


def test_the_policy_forbids_what_no_template_has() -> None:
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle\s*=", text), f"{path.name} has a style attribute"
        assert not re.search(r"\son[a-z]+\s*=", text), f"{path.name} has an event handler attribute"
        assert "<style" not in text, path.name
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), f"{path.name} has an inline script"
        assert "hx-on" not in text, f"{path.name}: hx-on needs eval"


def test_nothing_comes_from_elsewhere() -> None:
    for path in TEMPLATES:
        found = re.findall(r'(?:src|href|action|hx-get|hx-post)="(https?:)?//', path.read_text(encoding="utf-8"))
        assert found == [], path.name


def test_only_our_own_constants_are_marked_safe() -> None:
    marked = [
        (path.name, line.strip())
        for path in TEMPLATES
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\|\s*safe\b", line)
    ]
    assert all("""' aria-invalid="true"'|safe""" in line for _, line in marked), marked


def test_every_form_that_changes_something_has_the_token() -> None:
    for path in TEMPLATES:
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", path.read_text(encoding="utf-8"), re.DOTALL):
            assert "csrf" in form, f"{path.name}: {form[:120]}"
