"""Errors to HTTP, in one table: the status, the headline and the way out; a page for people, JSON for scripts."""

from __future__ import annotations

import logging
import math
import secrets
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from service.errors import CoursewrightError, Full, RateLimited, Throttled, Unavailable
from service.web.headers import security_headers
from service.web.site import render, site_of, wants_html

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """How a status looks to a person. An empty `message` takes the error's own words."""

    title: str
    message: str = ""


AGAIN_SECONDS = 20.0  # about what a database takes to restart
NOT_HERE = "The address may be mistyped, or the page belongs to a course that you cannot see."
FAILURES = {
    400: Failure("This could not be read", "The request was damaged on its way. Go back and try again."),
    401: Failure("Sign in first", "Your sign-in has ended, or you have not signed in yet. Sign in; nothing is lost."),
    402: Failure("This would pass the cap"),
    403: Failure("This is not possible"),
    404: Failure("This page is not here", NOT_HERE),
    405: Failure("This page is not here", NOT_HERE),
    409: Failure("This cannot be done right now"),
    413: Failure("This file is too large"),
    422: Failure("This cannot be done yet"),
    429: Failure("Too many tries"),
    500: Failure(
        "Something broke on our side", "Your work is saved. Try again; if it stays, tell us the reference below."
    ),
    503: Failure("A part of the site does not answer", "Your work is saved. Try again in a minute."),
    507: Failure(
        "The site has no room left",
        "What you sent could not be kept; everything else is as it was. "
        "Tell whoever runs the site to make room, then send it again.",
    ),
}


def answer(request: Request, status: int, message: str, reference: str = "", current: object = None) -> Response:
    """The answer to a failed request: a page when a browser asks, JSON when a script does."""
    failure = FAILURES.get(status, FAILURES[500])
    said = failure.message or message or FAILURES[500].message
    if wants_html(request):
        return render(request, "error.html", status, title=failure.title, message=said, reference=reference)
    body: dict[str, object] = {"error": said, **({"reference": reference} if reference else {})}
    return JSONResponse(body if current is None else {**body, "current": current}, status)


def refuse(request: Request, error: CoursewrightError | HTTPException) -> Response:
    """The answer to an error of our own tree, or of the framework's."""
    if isinstance(error, HTTPException):
        return _refuse_by_status(request, error)
    if error.status >= 500:
        return broken(request, error, error.status, _welcome_again(error))
    response = answer(request, error.status, str(error), current=getattr(error, "current", None))
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(error.after_seconds)
    return response


def _welcome_again(error: CoursewrightError) -> float | None:
    """The seconds after which a retry may help, where one may: what the provider asked for, else a short while."""
    if not isinstance(error, Unavailable) or isinstance(error, Full):
        return None
    asked = error.after_seconds if isinstance(error, Throttled) else getattr(error, "seconds", None)
    return AGAIN_SECONDS if asked is None else asked


def _refuse_by_status(request: Request, error: HTTPException) -> Response:
    if error.status_code == 401 and wants_html(request):
        return RedirectResponse(f"/sign-in?next={quote(_page_of(request))}{'&ended=1' * _is_sent(request)}", 303)
    limit = site_of(request).settings.upload_limit_bytes // 1_000_000
    too_large = f"A file may have {limit} MB at most. Split it and add the parts."
    response = answer(request, error.status_code, too_large if error.status_code == 413 else str(error.detail))
    response.headers.update(error.headers or {})
    return response


def _is_sent(request: Request) -> bool:
    """Whether somebody sent a form, which they could only see while they were signed in."""
    return request.method == "POST"


def _page_of(request: Request) -> str:
    """Where somebody is: the page that was asked for, or the one whose form was sent."""
    page = urlsplit(request.headers.get("referer", "")) if _is_sent(request) else urlsplit(str(request.url))
    if page.netloc != request.url.netloc:
        return "/"
    return page.path + (f"?{page.query}" if page.query else "")


def broken(request: Request, error: Exception, status: int = 500, again: float | None = None) -> Response:
    """The answer to what nobody foresaw: a reference for the person, the same one in the log. `again`: the seconds
    after which the same request is welcome.
    """
    reference = secrets.token_hex(4)
    log.error("reference %s: %s %r failed", reference, request.method, request.url.path, exc_info=error)
    response = answer(request, status, "", reference)
    site = site_of(request)
    nonce = getattr(request.state, "nonce", "")
    headers = security_headers(nonce, production=site.settings.production, media_origin=site.media_origin)
    response.headers.update({**headers, "Cache-Control": "no-store"})
    if again is not None:
        response.headers["Retry-After"] = str(math.ceil(again))
    return response


def add_failure_handlers(app: FastAPI) -> None:
    """Let every error that leaves a route end in one of the answers above."""

    async def foreseen(request: Request, error: Exception) -> Response:
        assert isinstance(error, CoursewrightError | HTTPException)
        return refuse(request, error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0] if error.errors() else {"loc": ("form",), "msg": "is missing"}
        field = str(first["loc"][-1]).replace("_", " ")
        return answer(request, 422, f"The field “{field}” cannot be used as it is: {str(first['msg']).lower()}.")

    async def unforeseen(request: Request, error: Exception) -> Response:
        return broken(request, error)

    app.add_exception_handler(CoursewrightError, foreseen)
    app.add_exception_handler(HTTPException, foreseen)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, unforeseen)
