"""Formats of the stores: what ``leocdp migrate --check`` says, among the rest."""

from __future__ import annotations

from collections.abc import Iterator

from leocdp.adapters.formats import StoreFormat
from leocdp_cli import stores
from leocdp_cli.diagnosis.finding import Finding
from leocdp_cli.failure import CommandFailed


def formats() -> Iterator[Finding]:
    try:
        found = stores.formats(stores.StoresSettings())
    except CommandFailed as failed:
        yield Finding("settings", False, str(failed))
        return
    for each in found:
        what = f"{each.name} store"
        if each.version is None and not each.problem:
            yield Finding(what, True, f"nothing there yet: {each.place}")
        elif each.current:
            yield Finding(what, True, f"format {each.version}")
        else:
            yield Finding(what, False, work_left(each).removeprefix(f"{each.name}: "))


def work_left(each: StoreFormat) -> str:
    """What has to be done before services of this version can use a store; empty when nothing has."""
    if each.problem:
        return f"{each.name}: {each.problem}"
    if each.version is None:
        return f"{each.name}: there is nothing yet at {each.place}. `leocdp migrate` makes it, as services do."
    if each.version < each.known:
        return (
            f"{each.name}: format {each.version} is of an earlier version, this one needs {each.known}. Make a backup, "
            "then run `leocdp migrate`; services of this version do the same when they start."
        )
    return ""
