"""All pages and the static files, put into the application."""

from __future__ import annotations

from fastapi import FastAPI

from leocdp_admin.views import (
    computed_traits,
    door,
    erasure,
    home,
    lists,
    live,
    profile,
    profile_actions,
    profiles,
    quality,
    reviews,
    segments,
    sources,
)
from leocdp_admin.views.assets import STATIC_DIR, STATIC_PATH, CompressedStaticFiles
from leocdp_admin.views.page_route import page_error
from leocdp_admin.views.settings import audit, consent, identity, keys, scores, status, users, workspace

ROUTERS = (
    *(door.router, home.router, profiles.router, profile_actions.router, erasure.router, profile.router),
    reviews.router,
    *(lists.router, computed_traits.router, segments.router),
    *(live.router, quality.router, sources.router),
    *(
        workspace.router,
        scores.router,
        identity.router,
        consent.router,
        users.router,
        keys.router,
        status.router,
        audit.router,
    ),
)


def register(app: FastAPI) -> None:
    app.mount(STATIC_PATH, CompressedStaticFiles(directory=STATIC_DIR), name="static")
    for router in ROUTERS:
        app.include_router(router)
    app.state.page_error = page_error
