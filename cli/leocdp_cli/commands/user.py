"""``leocdp user``: people who may log in."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from leocdp_cli.commands.options import AsJson, api
from leocdp_cli.failure import CommandFailed
from leocdp_cli.output import show_one, show_rows

group = typer.Typer(no_args_is_help=True, help="Users: people who may log in, and their roles.")
Who = Annotated[str, typer.Argument(metavar="USER", help="E-mail address or id of the person.")]


class Role(StrEnum):
    OWNER = "owner"
    MARKETER = "marketer"
    VIEWER = "viewer"


Email = Annotated[str, typer.Argument(metavar="EMAIL", help="E-mail address to log in with.")]
RoleOption = Annotated[Role, typer.Option(help="What the person may do.")]
NameOption = Annotated[str, typer.Option(help="What others see.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="user")


@group.command("list")
def list_users(context: typer.Context, as_json: AsJson = False) -> None:
    """Everyone who may log in, or was invited to."""
    columns = {"ID": "id", "E-MAIL": "email", "NAME": "name", "ROLE": "role", "STATUS": "status"}
    columns["LAST LOGIN"] = "last_login_at"
    rows = api(context).every("/users")
    show_rows(rows, columns, as_json=as_json, empty="Nobody yet: leocdp user invite EMAIL --role owner.")


@group.command()
def invite(
    context: typer.Context, email: Email, role: RoleOption = Role.VIEWER, name: NameOption = "", as_json: AsJson = False
) -> None:
    """Print a link with which the person chooses a password. It works once."""
    made = api(context).post("/users", {"email": email, "role": role.value, "name": name})
    said = f"{made['email']} may log in as {made['role']} after opening this link, which works once:\n"
    show_one(made, as_json=as_json, said=said + str(made["invitation"]))


@group.command()
def create(
    context: typer.Context,
    email: Email,
    role: RoleOption = Role.VIEWER,
    name: NameOption = "",
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a user with a password that you choose: asked for, or from standard input."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = typer.prompt("Password (10 characters or more)", hide_input=True, confirmation_prompt=True)
    made = api(context).post("/users", {"email": email, "role": role.value, "name": name, "password": password})
    show_one(made, as_json=as_json, said=f"{made['email']} may log in as {made['role']}.")


@group.command("set-role")
def set_role(
    context: typer.Context,
    who: Who,
    role: Annotated[Role, typer.Argument(help="The new role.")],
    as_json: AsJson = False,
) -> None:
    """Give a person another role."""
    made = _change(context, who, {"role": role.value})
    show_one(made, as_json=as_json, said=f"{made['email']} is {made['role']} now.")


@group.command()
def disable(context: typer.Context, who: Who, as_json: AsJson = False) -> None:
    """Keep a person from logging in, and end their sessions."""
    made = _change(context, who, {"status": "disabled"})
    show_one(made, as_json=as_json, said=f"{made['email']} cannot log in any more.")


@group.command()
def enable(context: typer.Context, who: Who, as_json: AsJson = False) -> None:
    """Let a person log in again."""
    made = _change(context, who, {"status": "active"})
    show_one(made, as_json=as_json, said=f"{made['email']} may log in again.")


def _change(context: typer.Context, who: str, change: dict[str, Any]) -> Any:
    client = api(context)
    wanted = who.casefold()
    for user in client.every("/users"):
        if wanted in (user["id"], user["email"].casefold()):
            return client.put(f"/users/{user['id']}", change, user["version"])
    raise CommandFailed(f"There is no user {who}: see leocdp user list.")
