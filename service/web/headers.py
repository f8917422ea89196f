"""The headers that every answer carries, whatever made it: page, file, redirect or error."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def security_headers(nonce: str, *, production: bool, media_origin: str) -> Mapping[str, str]:
    """What browsers are told to refuse. Scripts need the nonce of this very answer or our own address."""
    media = f"'self' {media_origin}".strip()
    policy = (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src {media}; font-src 'self'; "
        f"connect-src 'self'; media-src {media}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }
    if production:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return headers


class SecurityHeaders:
    """Middleware that makes the nonce and adds the headers. HTML and JSON are never stored unless they say so."""

    def __init__(self, app: ASGIApp, *, production: bool, media_origin: str) -> None:
        self.app = app
        self.production, self.media_origin = production, media_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                safe = security_headers(nonce, production=self.production, media_origin=self.media_origin)
                for name, value in safe.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)
