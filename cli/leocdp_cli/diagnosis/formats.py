"""Formats of the stores: what ``leocdp migrate --check`` says, among the rest."""

from __future__ import annotations

from collections.abc import Iterator

from leocdp.adapters.formats import StoreFormat
from leocdp_cli import stores
from leocdp_cli.diagnosis.finding import Finding


def formats() -> Iterator[Finding]:
    for each in stores.formats(stores.StoresSettings()):
        what = f"{each.name} store"
        if each.version is None and not each.problem:
            yield Finding(what, True, f"nothing there yet: {each.place}")
        elif each.current:
            yield Finding(what, True, f"format {each.version}")
        else:
            yield Finding(what, False, each.problem or _behind(each))


def _behind(each: StoreFormat) -> str:
    return f"format {each.version}, this version knows {each.known}: leocdp migrate, or upgrade"
