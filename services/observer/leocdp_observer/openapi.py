"""The description of the collection routes, which are no FastAPI routes, and a page that shows all of it."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from leocdp_observer.protocols.registry import ROUTES
from leocdp_observer.protocols.wire import Route
from leocdp_observer.refusals import CODES

_SUCCESS = {
    "type": "object",
    "required": ["success", "accepted", "rejected"],
    "properties": {
        "success": {"const": True},
        "accepted": {"type": "integer", "description": "Items that are in the log now."},
        "rejected": {"type": "array", "items": {"$ref": "#/components/schemas/Rejected"}},
    },
}
_REJECTED = {
    "type": "object",
    "required": ["index", "code", "message"],
    "properties": {
        "index": {"type": "integer", "description": "Place in the batch."},
        "code": {"type": "string", "enum": sorted(CODES)},
        "message": {"type": "string"},
    },
}
_ERROR = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string", "enum": sorted(CODES)}, "message": {"type": "string"}},
}
_STATUSES = {
    "400": "Nothing in it was acceptable: do not send it again.",
    "401": "No write key, or one that no source has.",
    "403": "The source is switched off, or does not allow this origin.",
    "408": "The body did not arrive in time.",
    "429": "Too many requests with this write key; `Retry-After` says how long to wait.",
    "503": "The log cannot take events now: send it again after `Retry-After` seconds.",
}


def install(app: FastAPI) -> None:
    """Make the application describe the collection routes too."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas.update({"Success": _SUCCESS, "Rejected": _REJECTED, "Error": _ERROR})
            for route in ROUTES:
                schema["paths"].setdefault(route.path, {})[route.method.lower()] = _operation(route)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _operation(route: Route) -> dict[str, Any]:
    if route.method == "GET":
        image = {"description": "A transparent image, whatever became of the call.", "content": {"image/gif": {}}}
        return {"summary": route.summary, "tags": [route.label], "responses": {"200": image}}
    return {
        "summary": route.summary,
        "tags": [route.label],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {
            "200": {
                "description": "At least one item was accepted and is durable.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Success"}}},
            },
            **{status: _error(text) for status, text in _STATUSES.items()},
        },
    }


def _error(text: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": text, "content": content}


def page(schema: dict[str, Any]) -> str:
    """The paths and what they are for, without anything from elsewhere."""
    rows = "".join(
        f"<tr><td><code>{method.upper()}</code></td><td><code>{escape(path)}</code></td>"
        f"<td>{escape(operation.get('summary', ''))}</td></tr>"
        for path, operations in sorted(schema["paths"].items())
        for method, operation in operations.items()
    )
    codes = "".join(
        f"<tr><td><code>{escape(code)}</code></td><td>{escape(why)}</td></tr>" for code, why in CODES.items()
    )
    title = escape(f"{schema['info']['title']} {schema['info']['version']}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "td{padding:.2rem 1rem .2rem 0}</style>"
        f'<h1>{title}</h1><p>The whole description: <a href="openapi.json">openapi.json</a>.</p>'
        f"<h2>Paths</h2><table>{rows}</table><h2>Codes</h2><table>{codes}</table>"
    )
