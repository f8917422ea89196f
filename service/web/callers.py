"""Who calls from the cloud: the OIDC token of Pub/Sub and of Cloud Scheduler, verified before a body is read.

The site is public, so whoever can send a request can send it to /internal/ too; the token is all that tells the
platform's own accounts from everybody else. google-auth reads and verifies it; here stands what must be in it.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from service.errors import Forbidden, Unavailable
from service.settings import Settings
from service.web.policy import Who

log = logging.getLogger(__name__)

REFUSED = "Only the platform's own services may call this address."
NO_KEYS = "The keys of service tokens cannot be fetched now. Try again in a moment."
ISSUERS = ("https://accounts.google.com", "accounts.google.com")
ALGORITHM = "RS256"
SKEW_SECONDS = 30
FETCH_TIMEOUT_SECONDS = 3.0
# A token may name any key, so an unknown one must not become a fetch for each request.
FETCH_AGAIN_SECONDS = 10.0
DEFAULT_AGE_SECONDS, LONGEST_AGE_SECONDS = 300.0, 86_400.0

ACCOUNTS: dict[Who, Callable[[Settings], str]] = {
    Who.PUSH: lambda settings: settings.push_account,
    Who.SCHEDULER: lambda settings: settings.scheduler_account,
}

Clock = Callable[[], float]


class Keys:
    """The certificates that tokens are signed with, kept for as long as the address that serves them says."""

    def __init__(self, url: str, clock: Clock = time.monotonic) -> None:
        self._url, self._clock = url, clock
        self._lock = threading.Lock()
        self._certificates: Mapping[str, str] = {}
        self._fresh_until = self._not_before = -1.0
        self._answered = False

    def certificate(self, key_id: str) -> str | None:
        """The PEM certificate of this key, or None when nobody issues under it.

        Raises:
            Unavailable: whether it is there cannot be known now.
        """
        with self._lock:
            now = self._clock()
            known = now < self._fresh_until and key_id in self._certificates
            if not known and now >= self._not_before:
                self._not_before = now + FETCH_AGAIN_SECONDS
                self._fetch(now)
            if now >= self._fresh_until or (key_id not in self._certificates and not self._answered):
                raise Unavailable(NO_KEYS)
            return self._certificates.get(key_id)

    def _fetch(self, now: float) -> None:
        """Read the keys anew; those of before count on, for their time, when nothing usable comes."""
        import json

        from google.auth.exceptions import TransportError
        from google.auth.transport.requests import Request

        self._answered = False
        try:
            response = Request()(self._url, timeout=FETCH_TIMEOUT_SECONDS)
            found = json.loads(response.data) if response.status == 200 else None
        except (TransportError, ValueError) as error:
            log.warning("the keys of service tokens cannot be fetched: %s", error)
            return
        if not isinstance(found, dict) or not found or not all(isinstance(pem, str) for pem in found.values()):
            log.warning("the keys of service tokens cannot be used: status %s", response.status)
            return
        self._certificates, self._answered = found, True
        self._fresh_until = now + _age(response.headers)


def _age(headers: Mapping[str, str]) -> float:
    """How long an answer is kept, in seconds: by its Cache-Control, and never so short that every request fetches."""
    control = {name.lower(): value for name, value in headers.items()}.get("cache-control", "")
    found = re.search(r"\bmax-age=(\d{1,9})\b", control)
    said = float(found.group(1)) if found else DEFAULT_AGE_SECONDS
    return min(max(said, FETCH_AGAIN_SECONDS), LONGEST_AGE_SECONDS)


class Callers:
    """Tells whether a request comes from the account that its path expects."""

    def __init__(self, settings: Settings, keys: Keys | None = None) -> None:
        self._settings = settings
        self._keys = keys or Keys(settings.oidc_certs_url)

    def check(self, who: Who, authorization: str) -> None:
        """Let the bearer of a right token pass.

        Raises:
            Forbidden: anything about the token is wrong, or nobody is expected here; the words never say which.
            Unavailable: the keys cannot be fetched, so nothing can be said.
        """
        account = ACCOUNTS[who](self._settings)
        reason = self._refusal(account, authorization)
        if reason:
            # Never the token, nor words out of it.
            log.warning("a service call was refused: %s", reason)
            raise Forbidden(REFUSED)

    def _refusal(self, account: str, authorization: str) -> str:
        """Why not; empty when the caller is who it must be."""
        audience = self._settings.public_url
        if not account or not audience:
            return "no account or no PUBLIC_URL is configured"
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return "no bearer token"
        claims = self._claims(token, audience)
        if claims is None:
            return "signature, key, times or audience"
        if claims.get("iss") not in ISSUERS:
            return "issuer"
        if claims.get("email") != account or claims.get("email_verified") is not True:
            return "account"
        return ""

    def _claims(self, token: str, audience: str) -> Mapping[str, Any] | None:
        """What the token says, when its signature, its times and its audience hold."""
        from google.auth import jwt

        try:
            header = jwt.decode_header(token)  # type: ignore[no-untyped-call]
            key_id = header.get("kid")
            # The library would also take another algorithm, and a token without a key's name.
            if header.get("alg") != ALGORITHM or not isinstance(key_id, str):
                return None
            certificate = self._keys.certificate(key_id)
            if certificate is None:
                return None
            decoded: Mapping[str, Any] = jwt.decode(  # type: ignore[no-untyped-call]
                token, certs={key_id: certificate}, audience=audience, clock_skew_in_seconds=SKEW_SECONDS
            )
        except (ValueError, TypeError, RecursionError):  # the library's own refusals are ValueErrors
            return None
        return decoded
