"""The issuer of service tokens, played on this machine: keys of our own, the address that serves them, and forgeries.

with serve_issuer() as issuer:
    settings = settings.model_copy(update=issuer.settings())
    headers = issuer.headers()                     # as Pub/Sub would send them
    headers = issuer.headers(account=SCHEDULER)    # as Cloud Scheduler would
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from google.auth import crypt, jwt

PUBLIC_URL = "https://courses.example.org"
PUSH = "push@a-project.iam.gserviceaccount.com"
SCHEDULER = "scheduler@a-project.iam.gserviceaccount.com"


@dataclass(frozen=True)
class SigningKey:
    """A private key with its self-signed certificate, as PEM."""

    private: bytes
    certificate: str


def _certified(key: Any) -> SigningKey:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return SigningKey(private, certificate.public_bytes(serialization.Encoding.PEM).decode())


@cache
def signing_key(name: str) -> SigningKey:
    """An RSA key of this name; made once, because making one takes a while."""
    assert name
    return _certified(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@cache
def curve_key() -> SigningKey:
    """A key of the other algorithm that the library knows."""
    return _certified(ec.generate_private_key(ec.SECP256R1()))


@dataclass
class Issuer:
    """Serves certificates by key id, and says how often it was asked."""

    url: str = ""
    certificates: dict[str, str] = field(default_factory=lambda: {"key-1": signing_key("first").certificate})
    max_age: int = 3600
    status: int = 200
    asked: int = 0

    def settings(self) -> dict[str, str]:
        """The settings of a site that trusts this issuer."""
        return {
            "oidc_certs_url": self.url,
            "public_url": PUBLIC_URL,
            "push_account": PUSH,
            "scheduler_account": SCHEDULER,
        }

    def token(
        self, *, key: str = "first", kid: str = "key-1", header: dict[str, str] | None = None, **claims: Any
    ) -> str:
        """A token as Google makes them for a service account; claims may be changed, and left out with None."""
        now = int(time.time())
        said = {
            "iss": "https://accounts.google.com",
            "aud": PUBLIC_URL,
            "email": PUSH,
            "email_verified": True,
            "sub": "112233445566778899",
            "azp": "112233445566778899",
            "iat": now,
            "exp": now + 3600,
        } | claims
        payload = {name: value for name, value in said.items() if value is not None}
        signer = crypt.RSASigner.from_string(signing_key(key).private, kid)
        return jwt.encode(signer, payload, header=dict(header or {})).decode()

    def headers(self, account: str = PUSH, **changes: Any) -> dict[str, str]:
        """The header of a request that this account sends."""
        return {"Authorization": f"Bearer {self.token(email=account, **changes)}"}


@contextmanager
def serve_issuer() -> Iterator[Issuer]:
    """An issuer, for the length of the block."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            body = json.dumps(issuer.certificates).encode()
            self.send_response(issuer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Cache-Control", f"public, max-age={issuer.max_age}, must-revalidate")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    issuer.url = f"http://127.0.0.1:{server.server_port}/certs"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _segment(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def _unsigned(issuer: Issuer) -> str:
    _, payload, _ = issuer.token().split(".")
    return f"{_segment({'alg': 'none', 'typ': 'JWT', 'kid': 'key-1'})}.{payload}."


def _signed_with_the_public_key(issuer: Issuer) -> str:
    _, payload, _ = issuer.token().split(".")
    signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT', 'kid': 'key-1'})}.{payload}"
    mac = hmac.new(issuer.certificates["key-1"].encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _other_payload(issuer: Issuer) -> str:
    header, _, signature = issuer.token(email=SCHEDULER).split(".")
    _, payload, _ = issuer.token().split(".")
    return f"{header}.{payload}.{signature}"


def _nested() -> str:
    deep = base64.urlsafe_b64encode(b"[" * 20_000).decode()
    return f"{deep}.{deep}.{deep}"


def _curve(issuer: Issuer) -> str:
    """Rightly signed by a known key, with an algorithm that Google does not use for these tokens."""
    from google.auth.crypt import es

    issuer.certificates["curve"] = curve_key().certificate
    payload = jwt.decode(issuer.token(), verify=False)
    return jwt.encode(es.EsSigner.from_string(curve_key().private, "curve"), payload).decode()


def _nameless(issuer: Issuer) -> str:
    payload = jwt.decode(issuer.token(), verify=False)
    return jwt.encode(crypt.RSASigner.from_string(signing_key("first").private), payload).decode()


HOUR = 3600
# What a request to /internal/push may carry and must not get in with. None stands for no header at all.
FORGERIES: dict[str, Callable[[Issuer], str | None]] = {
    "no token": lambda _: None,
    "garbage": lambda _: "Bearer not.a.token",
    "no algorithm": lambda issuer: f"Bearer {_unsigned(issuer)}",
    "HS256 with the public key": lambda issuer: f"Bearer {_signed_with_the_public_key(issuer)}",
    "another key": lambda issuer: f"Bearer {issuer.token(key='second')}",
    "an unknown key": lambda issuer: f"Bearer {issuer.token(key='second', kid='key-2')}",
    "expired": lambda issuer: f"Bearer {issuer.token(iat=int(time.time()) - 2 * HOUR, exp=int(time.time()) - HOUR)}",
    "not yet valid": lambda issuer: (
        f"Bearer {issuer.token(iat=int(time.time()) + HOUR, exp=int(time.time()) + 2 * HOUR)}"
    ),
    "another audience": lambda issuer: f"Bearer {issuer.token(aud='https://elsewhere.example.org')}",
    "another issuer": lambda issuer: f"Bearer {issuer.token(iss='https://accounts.example.org')}",
    "another account": lambda issuer: f"Bearer {issuer.token(email='somebody@a-project.iam.gserviceaccount.com')}",
    "an address not verified": lambda issuer: f"Bearer {issuer.token(email_verified=False)}",
    "the other path's account": lambda issuer: f"Bearer {issuer.token(email=SCHEDULER)}",
    "another scheme": lambda issuer: f"Basic {issuer.token()}",
    "a signature of other words": lambda issuer: f"Bearer {_other_payload(issuer)}",
    "another algorithm": lambda issuer: f"Bearer {_curve(issuer)}",
    "a key without a name": lambda issuer: f"Bearer {_nameless(issuer)}",
    "an audience that only begins alike": lambda issuer: f"Bearer {issuer.token(aud=PUBLIC_URL + '.evil.example')}",
    "several audiences": lambda issuer: f"Bearer {issuer.token(aud=[PUBLIC_URL])}",
    "no address": lambda issuer: f"Bearer {issuer.token(email=None)}",
    "no times": lambda issuer: f"Bearer {issuer.token(iat=None, exp=None)}",
    "times that are words": lambda issuer: f"Bearer {issuer.token(exp='tomorrow')}",
    "many brackets": lambda _: f"Bearer {_nested()}",
    "a verified that is a word": lambda issuer: f"Bearer {issuer.token(email_verified='true')}",
}
