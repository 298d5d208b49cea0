"""Errors as HTTP: one body for all, and pages where a person is reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from leocdp.domain.errors import Problem
from leocdp.kit.errors import LeoError
from leocdp.kit.logs import get_logger
from leocdp.kit.web import error_response
from leocdp.ports.profile_reader import CursorInvalid
from leocdp_admin.application.errors import Changed, NotNow, RequestError, TooManyAttempts, Unacceptable
from leocdp_admin.auth.current import LoginNeeded

logger = get_logger(__name__)

RETRY_AFTER = "2"
_CODES = {404: "not_found", 405: "method_not_allowed", 400: "unreadable", 413: "body_too_large"}


class ErrorDetail(BaseModel):
    path: str = Field(description="Where in the body, such as `origins[0]`; a name of the query for queries.")
    problem: str


class ErrorBody(BaseModel):
    """What every error answers."""

    code: str = Field(examples=["profile_not_found"])
    message: str
    details: list[ErrorDetail] | None = None


ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorBody, "description": "The request cannot be read."},
    401: {"model": ErrorBody, "description": "No good key, and nobody is signed in."},
    403: {"model": ErrorBody, "description": "The scope or the role is missing."},
    404: {"model": ErrorBody, "description": "There is no such thing."},
    409: {"model": ErrorBody, "description": "It does not go together with what there is."},
    412: {"model": ErrorBody, "description": "Somebody was faster: the version is another one."},
    413: {"model": ErrorBody, "description": "The body is too large."},
    422: {"model": ErrorBody, "description": "The request has the wrong shape; details name the places."},
    429: {"model": ErrorBody, "description": "Too many requests."},
    503: {"model": ErrorBody, "description": "The log or a store cannot be reached; try again."},
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For ``responses=`` of a route: these and the ones that every route may answer."""
    return {status: ERRORS[status] for status in sorted({400, 401, 403, 422, 429, 503, *statuses})}


class PageError(Protocol):
    async def __call__(self, request: Request, status: int, code: str, message: str) -> Response:
        """A page for a person, with a way on."""


def install(app: FastAPI) -> None:
    app.add_exception_handler(RequestError, _request_error)
    app.add_exception_handler(LeoError, _unavailable)
    app.add_exception_handler(CursorInvalid, _bad_cursor)
    app.add_exception_handler(RequestValidationError, _wrong_shape)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(LoginNeeded, _login_needed)
    app.add_exception_handler(Exception, _defect)


def path_of(location: Sequence[int | str]) -> str:
    """``("body", "condition", "all", 0)`` → ``condition.all[0]``; paths start at the body."""
    text = ""
    for part in location[1:]:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


async def _request_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    headers: dict[str, str] = {}
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, NotNow):
        headers["Retry-After"] = RETRY_AFTER
    if isinstance(error, Changed):
        headers["ETag"] = f'"{error.current}"'
    return await _answer(request, error.status, error.public_code, error.message, error.problems, headers)


async def _unavailable(request: Request, error: Exception) -> Response:
    """An error of a port: the log or a store cannot do its work now."""
    assert isinstance(error, LeoError)
    logger.warning("request cannot be answered", code=error.code, reason=str(error))
    message = f"This cannot be answered now: {error}"
    return await _answer(request, 503, error.code, message, (), {"Retry-After": RETRY_AFTER})


async def _bad_cursor(request: Request, error: Exception) -> Response:
    problem = str(error).removeprefix("cursor: ")
    return await _request_error(request, Unacceptable([Problem("cursor", problem)]))


async def _wrong_shape(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return await _answer(request, 400, "unreadable", "The body is no JSON.", ())
    problems = [Problem(path_of(each["loc"]), _sentence(each)) for each in found]
    return await _request_error(request, Unacceptable(problems))


_SENTENCES: Final = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be a text",
}


def _sentence(found: dict[str, Any]) -> str:
    """In our words where we have some, else in the validator's; never with the value that was sent."""
    return _SENTENCES.get(str(found["type"])) or str(found["msg"]).removeprefix("Value error, ")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "error")
    message = {
        404: "There is nothing at this address.",
        405: f"This address does not take {request.method}.",
    }.get(error.status_code, str(error.detail))
    return await _answer(request, error.status_code, code, message, (), dict(error.headers or {}))


async def _login_needed(request: Request, _: Exception) -> Response:
    target = request.url.path if request.method == "GET" else "/"
    return RedirectResponse(f"/login?next={target}", 303)


async def _defect(request: Request, error: Exception) -> Response:
    # Without the exception's text: it may hold data of people.
    logger.error("defect", kind=type(error).__name__, route=route_of(request))
    return await _answer(request, 500, "defect", "Something is wrong on our side. It was logged.", ())


async def _answer(
    request: Request,
    status: int,
    code: str,
    message: str,
    problems: Sequence[Problem],
    headers: dict[str, str] | None = None,
) -> Response:
    page: PageError | None = getattr(request.app.state, "page_error", None)
    if page is None or request.url.path.startswith(("/api/", "/internal/")):
        details = [{"path": problem.path, "problem": problem.problem} for problem in problems]
        return error_response(status, code, message, details, headers)
    response = await page(request, status, code, message)
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def route_of(request: Request) -> str:
    """The template of the route, so that no value of a path gets into logs and metrics."""
    route = request.scope.get("route")
    return str(getattr(route, "path", "unknown"))
