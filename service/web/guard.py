"""The door of the site: before any route runs, the policy is asked, the caller recognised and the origin checked."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from fastapi import Request
from fastapi.responses import PlainTextResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.db.engine import session_scope
from service.db.tables import Role
from service.errors import CoursewrightError, Forbidden, NotFound
from service.web.auth import Visitor, recognise
from service.web.failures import refuse
from service.web.policy import Rule, Who, rule_for
from service.web.site import rule_of, site_of, visitor_of, wants_html

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# While the keys of service tokens are slow to come, their callers wait for each other and not for everybody's threads.
TOKEN_CHECKS = 4


class Guard:
    """Middleware that refuses what the policy does not allow, so that no route can forget to."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._token_checks = CapacityLimiter(TOKEN_CHECKS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        refusal = await self._refusal(request)
        app = refusal or self.app
        await app(scope, receive, _with_cookie(request, send))

    async def _refusal(self, request: Request) -> Response | None:
        try:
            rule = rule_for(request.method, request.url.path)
            request.state.rule = rule
            if rule.is_service:
                return await self._service_refusal(request, rule)
            if rule.who is not Who.ANYBODY_UNSEEN:
                request.state.visitor = await to_thread.run_sync(_visitor, request)
            if request.method not in SAFE:
                _check_origin(request)
            _check_rule(rule, visitor_of(request))
        except (CoursewrightError, HTTPException) as error:
            if wants_html(request) and not hasattr(request.state, "rule"):  # the page that says so knows its reader
                request.state.visitor = await to_thread.run_sync(_visitor, request)
            return refuse(request, error)
        return None

    async def _service_refusal(self, request: Request, rule: Rule) -> Response | None:
        """A program calls: its token decides, before its body is read; it has no cookie, no origin and no page."""
        given = request.headers.get("authorization", "")
        try:
            await to_thread.run_sync(site_of(request).callers.check, rule.who, given, limiter=self._token_checks)
        except CoursewrightError as error:
            return PlainTextResponse(f"{error}\n", error.status)
        return None


def _visitor(request: Request) -> Visitor:
    site = site_of(request)
    sealed = request.cookies.get(site.sealer.name, "")
    cookie = site.sealer.open(sealed) if sealed else None
    if cookie is None or not cookie[0]:
        return Visitor(csrf=cookie[1], known=True) if cookie else Visitor.new()
    with session_scope(site.services.engine) as database:
        return recognise(database, cookie)


def _check_rule(rule: Rule, visitor: Visitor) -> None:
    if not rule.needs_sign_in:
        return
    if visitor.person is None:
        if rule.who is Who.READER:
            return  # a published course is for everybody; the query decides
        raise HTTPException(401)
    if rule.who is Who.INSTRUCTOR and visitor.person.role == Role.LEARNER:
        raise NotFound("There is nothing at this address.")


def _check_origin(request: Request) -> None:
    """Refuse a request that another site made the browser send."""
    fetched = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    own = urlsplit(site_of(request).settings.public_url).netloc or request.headers.get("host", "")
    if origin is not None and urlsplit(origin).netloc != own:
        raise Forbidden("This was sent from another site. Open the page here and try again.")
    if fetched not in (None, "same-origin") or (origin is None and fetched is None):
        raise Forbidden("This was sent from another site. Open the page here and try again.")


async def check_token(request: Request) -> None:
    """The second lock against forged requests: a token bound to the cookie, in the X-CSRF header or a form field.

    Raises:
        Forbidden: the token is missing or belongs to another sign-in.
    """
    if request.method in SAFE or rule_of(request).is_service:
        return
    given = request.headers.get("x-csrf")
    if given is None and "json" not in request.headers.get("content-type", ""):
        field = (await request.form()).get("csrf")
        given = field if isinstance(field, str) else None
    visitor = visitor_of(request)
    if not visitor.known or not given or not hmac.compare_digest(given.encode(), visitor.csrf.encode()):
        raise Forbidden("This page is older than your sign-in. Reload it and try again; what you typed is not lost.")


def _with_cookie(request: Request, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            value = visitor_of(request).set_cookie
            if value is not None:
                MutableHeaders(scope=message).append("Set-Cookie", site_of(request).sealer.header(value))
        await send(message)

    return sending
