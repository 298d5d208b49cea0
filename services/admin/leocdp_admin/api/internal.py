"""``/internal``: what only the gateway asks."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from leocdp_admin.application.errors import Unauthenticated
from leocdp_admin.application.shapes.base import Asked, Moment, Shape, moment_or_none
from leocdp_admin.auth.current import CurrentServices

router = APIRouter(prefix="/internal", include_in_schema=False)


class KeySent(Asked):
    key: str


class KeyFound(Shape):
    id: str
    name: str
    scopes: list[str]
    expires_at: Moment | None


class KeysUsed(Asked):
    used: dict[str, int]


@router.get("/knock", status_code=204)
async def knock() -> Response:
    """For the gateway's readiness: whoever gets here has signed with the secret that admin knows."""
    return Response(status_code=204)


@router.post("/authenticate")
async def authenticate_key(asked: KeySent, services: CurrentServices) -> KeyFound:
    """401 ``unknown_key`` for a key that is unknown, expired or revoked."""
    found = await services.keys.authenticate(asked.key)
    if found is None:
        raise Unauthenticated("This API key is unknown, expired or revoked.", "unknown_key")
    return KeyFound(
        id=found.id, name=found.name, scopes=list(found.scopes), expires_at=moment_or_none(found.expires_at)
    )


@router.post("/keys/used", status_code=204)
async def mark_keys_used(asked: KeysUsed, services: CurrentServices) -> Response:
    await services.keys.mark_used(asked.used)
    return Response(status_code=204)
