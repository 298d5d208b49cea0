"""The actor of a request: a person with a session, or a key that the gateway has checked."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import Request

from leocdp.contracts.principal import Principal
from leocdp_admin.application.actor import CLI, Actor
from leocdp_admin.application.errors import Unauthenticated
from leocdp_admin.application.sessions import SignedIn
from leocdp_admin.auth.csrf import check_csrf
from leocdp_admin.environment import Services

COOKIE: Final = "leocdp_session"


class LoginNeeded(Exception):
    """A page needs somebody who is signed in; the UI answers with a redirect to ``/login``."""


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _services(request: Request) -> Services:
    """As a dependency it must be asynchronous, or each request would wait for a thread."""
    return services_of(request)


def principal_of(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


async def signed_in(request: Request) -> SignedIn | None:
    """The person of the session cookie, looked up once per request."""
    known: SignedIn | bool | None = getattr(request.state, "signed_in", False)
    if not isinstance(known, bool):
        return known
    principal = principal_of(request)
    token = request.cookies.get(COOKIE, "") if principal.kind == "ui" else ""
    found = await services_of(request).sessions.authenticate(token, client=principal.client)
    request.state.signed_in = found
    return found


async def page_session(request: Request) -> SignedIn:
    """For pages: the person; changes need the CSRF token. Raises LoginNeeded, Forbidden (``csrf``)."""
    person = await signed_in(request)
    if person is None:
        raise LoginNeeded
    await check_csrf(request, person.token)
    return person


async def api_actor(request: Request) -> Actor:
    """For the JSON API: a key's actor, or a person's (changes need the CSRF token)."""
    principal = principal_of(request)
    if principal.kind == "key":
        return _key_actor(principal)
    if principal.kind == "cli":
        return CLI
    person = await signed_in(request)
    if person is None:
        raise Unauthenticated("Send an API key as `Authorization: Bearer <key>`, or sign in.")
    await check_csrf(request, person.token)
    return person.actor


def _key_actor(principal: Principal) -> Actor:
    return Actor(
        kind="key",
        id=principal.key_id,
        name=f"key {principal.key_id}",
        scopes=frozenset(principal.scopes),
        client=principal.client,
    )


CurrentActor = Annotated[Actor, Depends(api_actor)]
CurrentServices = Annotated[Services, Depends(_services)]
CurrentPerson = Annotated[SignedIn, Depends(page_session)]
