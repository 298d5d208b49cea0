"""The command line itself: help everywhere, sentences for wrong usage, columns and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from leocdp_cli import output
from leocdp_cli.app import GROUPS, app
from leocdp_cli.commands.replay import _wanted
from leocdp_cli.commands.status import describe
from leocdp_cli.failure import CommandFailed


def every_command(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from every_command(child, (*path, name))


@pytest.mark.parametrize("path", list(every_command(typer.main.get_command(app))), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "120", "NO_COLOR": "1"})
    assert done.exit_code == 0
    assert "Usage: " in done.output


def test_every_group_registers_itself() -> None:
    assert all(callable(group.register) for group in GROUPS)


def test_replay_takes_ids_or_a_choice_not_both() -> None:
    assert _wanted(["dl_1"], None, None, None) == {"ids": ["dl_1"]}
    assert _wanted([], "processing_failed", None, None) == {"reason": "processing_failed"}
    for ids, reason in ((["dl_1"], "processing_failed"), ([], None)):
        with pytest.raises(CommandFailed) as failed:
            _wanted(ids, reason, None, None)
        assert failed.value.status == 2


def test_columns_line_up() -> None:
    shown = output.table(["ID", "NAME"], [["1", "Lan"], ["1000", "Minh"]])
    assert shown == "ID    NAME\n1     Lan\n1000  Minh"


def test_cells_say_nothing_with_a_dash() -> None:
    assert [output.text(value) for value in (None, "", [], True, False, ["a", "b"], 0)] == [
        *("-", "-", "-", "yes", "no", "a,b", "0")
    ]


def test_what_is_not_known_is_no_nought() -> None:
    told = {
        "version": "1.0.0",
        "engine": {"log": "kafka", "store": "arango"},
        "services": [{"name": "admin", "ready": False, "reasons": ["The event log cannot be read: no broker"]}],
        "lag": None,
        "counts": None,
        "checks": [],
    }
    shown = describe(told)
    assert "Lag: not known" in shown
    assert "Counts are not known: the profile store does not answer." in shown
    assert "admin    NOT READY  The event log cannot be read: no broker" in shown


def test_rows_as_json_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_rows([{"id": 1, "more": "é"}], {"ID": "id"}, as_json=True, empty="none")
    assert json.loads(capsys.readouterr().out) == [{"id": 1, "more": "é"}]
