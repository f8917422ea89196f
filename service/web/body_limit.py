"""How much a request may send: bytes are counted as they arrive, because a declared length is only a claim."""

from __future__ import annotations

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.site import rule_of, site_of

FORM_BYTES, MULTIPART_BYTES, PATIENCE = 1_000_000, 100_000, 4
# More than Pub/Sub can carry (10 MB in base64). A 413 would only bring the same message again, so the route takes what
# a known caller sends, keeps the little that it can use, and says that the rest is not understood.
SERVICE_BYTES = 16_000_000


class BodyLimit:
    """Middleware inside the guard: the policy's row says whether files may come.

    A body that is declared too long is read to its end within reason, and thrown away: a browser that is still sending
    does not listen, and would show a broken connection instead of the reason.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        limit = _limit(request)
        declared = request.headers.get("content-length", "")
        too_long = declared.isdigit() and int(declared) > limit
        got = 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            while too_long and message.get("more_body", False) and got < PATIENCE * limit:
                message = await receive()
                got += len(message.get("body", b""))
            if too_long or got > limit:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)


def _limit(request: Request) -> int:
    rule = rule_of(request)
    if rule.is_service:
        return SERVICE_BYTES
    return site_of(request).settings.upload_limit_bytes + MULTIPART_BYTES if rule.uploads else FORM_BYTES
