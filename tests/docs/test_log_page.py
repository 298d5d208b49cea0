"""The page on logs knows every field that is logged."""

from __future__ import annotations

import re

from scripts.log_lines import ROOT, lines


def test_every_field_is_explained() -> None:
    by_hand = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8").partition("## Every line")[0]
    rows = [row.split("|")[1] for row in by_hand.partition("## Fields")[2].splitlines() if row.startswith("| `")]
    explained = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    logged = {name for line in lines() for name in line.fields}
    assert logged - explained == set()
    assert explained - logged == {"event", "timestamp", "level", "logger", "service"}


def test_no_field_is_called_like_what_never_appears() -> None:
    logged = {name for line in lines() for name in line.fields}
    assert (
        logged & {"email", "phone", "user_id", "anonymous_id", "identifier", "traits", "properties", "password"}
        == set()
    )
