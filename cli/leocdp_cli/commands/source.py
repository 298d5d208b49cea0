"""``leocdp source``: who may send events."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from leocdp_cli.commands.options import AsJson, Yes, api, confirm
from leocdp_cli.output import show_one, show_rows

group = typer.Typer(no_args_is_help=True, help="Sources: who may send events, and their write keys.")
SourceId = Annotated[str, typer.Argument(metavar="ID", help="Id of the source, see `leocdp source list`.")]
Origins = Annotated[list[str] | None, typer.Option("--origin", help="Web origin that may send; repeat for more.")]


class Kind(StrEnum):
    BROWSER = "browser"
    SERVER = "server"


class ConsentPolicy(StrEnum):
    NOT_NEEDED = "not_needed"
    REQUIRED = "required"


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="source")


@group.command("list")
def list_sources(context: typer.Context, as_json: AsJson = False) -> None:
    """All sources with their write keys."""
    columns = {"ID": "id", "NAME": "name", "KIND": "kind", "WRITE KEY": "write_key", "ENABLED": "enabled"}
    rows = api(context).every("/sources")
    show_rows(rows, columns, as_json=as_json, empty="No source yet: leocdp source create NAME makes one.")


@group.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    kind: Annotated[
        Kind, typer.Option(help="A browser's key stands in web pages, a server's is secret.")
    ] = Kind.BROWSER,
    origin: Origins = None,
    id_space: Annotated[str, typer.Option(help="Whose numbering its user ids follow.")] = "default",
    shared_device: Annotated[bool, typer.Option(help="A kiosk or call centre: its devices are nobody's own.")] = False,
    consent_policy: Annotated[ConsentPolicy, typer.Option(help="Whether events need a word of consent.")] = (
        ConsentPolicy.NOT_NEEDED
    ),
    as_json: AsJson = False,
) -> None:
    """Make a source and print its write key."""
    body: dict[str, Any] = {"name": name, "kind": kind.value, "id_space": id_space, "shared_device": shared_device}
    body |= {"consent_policy": consent_policy.value, **({"origins": origin} if origin else {})}
    made = api(context).post("/sources", body)
    show_one(made, as_json=as_json, said=f"Source {made['id']} ({made['name']}). Write key: {made['write_key']}")


@group.command()
def update(
    context: typer.Context,
    source_id: SourceId,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    origin: Origins = None,
    id_space: Annotated[str | None, typer.Option(help="Whose numbering its user ids follow.")] = None,
    shared_device: Annotated[bool | None, typer.Option(help="Whether its devices are nobody's own.")] = None,
    consent_policy: Annotated[ConsentPolicy | None, typer.Option(help="Whether events need a consent.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given and leave the rest as it is."""
    given = {"name": name, "origins": origin, "id_space": id_space, "shared_device": shared_device}
    given["consent_policy"] = consent_policy.value if consent_policy else None
    made = _change(context, source_id, {field: value for field, value in given.items() if value is not None})
    show_one(made, as_json=as_json, said=f"Source {source_id} is changed.")


@group.command()
def disable(context: typer.Context, source_id: SourceId, as_json: AsJson = False) -> None:
    """Refuse its events from now on; observers know within seconds."""
    made = _change(context, source_id, {"enabled": False})
    show_one(made, as_json=as_json, said=f"Source {source_id} is disabled.")


@group.command()
def enable(context: typer.Context, source_id: SourceId, as_json: AsJson = False) -> None:
    """Accept its events again."""
    made = _change(context, source_id, {"enabled": True})
    show_one(made, as_json=as_json, said=f"Source {source_id} is enabled.")


@group.command()
def rotate(context: typer.Context, source_id: SourceId, yes: Yes = False, as_json: AsJson = False) -> None:
    """Give it a new write key; the old one stops working."""
    confirm(f"Senders that use the old key of {source_id} will be refused. Go on?", yes=yes)
    made = api(context).post(f"/sources/{source_id}/rotate")
    show_one(made, as_json=as_json, said=f"New write key: {made['write_key']}")


@group.command()
def delete(context: typer.Context, source_id: SourceId, yes: Yes = False, as_json: AsJson = False) -> None:
    """Remove a source; what it has sent stays."""
    confirm(f"Source {source_id} and its write key will be gone. Go on?", yes=yes)
    api(context).delete(f"/sources/{source_id}")
    show_one({"id": source_id, "deleted": True}, as_json=as_json, said=f"Source {source_id} is deleted.")


def _change(context: typer.Context, source_id: str, change: dict[str, Any]) -> Any:
    """A PUT has the whole source, guarded by the version that was read."""
    client = api(context)
    current = client.get(f"/sources/{source_id}")
    return client.put(f"/sources/{source_id}", {**current, **change}, current["version"])
