"""The areas of the settings, as far as the reader may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.views.frame import Frame


@dataclass(frozen=True, slots=True)
class Area:
    key: str
    url: str
    icon: str
    title: str


AREAS: Final = (
    ("workspace", "building-store", N_("Workspace"), ""),
    ("scores", "trending-up", N_("Scores"), "segments:read"),
    ("identity", "fingerprint", N_("Identity"), "settings:read"),
    ("consent", "shield-check", N_("Consent"), "settings:read"),
    ("users", "users", N_("Users"), "admin"),
    ("keys", "key", N_("API keys"), "admin"),
    ("status", "heart-rate-monitor", N_("System status"), ""),
    ("audit", "clipboard-list", N_("Audit log"), "admin"),
    ("account", "user-circle", N_("Your account"), ""),
)


def areas(frame: Frame) -> list[Area]:
    return [
        Area(key, f"/settings/{key}", icon, frame.l10n.gettext(title))
        for key, icon, title, scope in AREAS
        if not scope or frame.may(scope)
    ]


def area_page(frame: Frame, here: str, *, status: int = 200, **context: Any) -> Response:
    template = f"settings_{here}.html"
    return frame.page(template, status=status, active="settings", here=here, areas=areas(frame), **context)
