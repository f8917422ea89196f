"""Addresses without a key file: Compute Engine's credentials, signed by IAM over real HTTP, with few questions."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from service.adapters.cloud_storage import LONGEST_ADDRESS, SHARED, CloudStorage
from service.errors import Broken, Unavailable

HOUR = timedelta(hours=1)
KEY, ACCOUNT = "video/0a1b.mp4", "site@project.iam.gserviceaccount.com"


@dataclass
class Google:
    """The metadata server and IAM on this machine: what they were asked, and how IAM answers."""

    url: str = ""
    tokens: int = 0
    lifetime: int = 3600
    signed: list[bytes] = field(default_factory=list)
    bearers: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    @staticmethod
    def signature(payload: bytes) -> bytes:
        """What this IAM takes for a signature."""
        return hashlib.sha512(b"the account's key" + payload).digest()

    def metadata(self, path: str) -> object:
        if path.endswith("/token"):
            self.tokens += 1
            return {"access_token": f"token-{self.tokens}", "expires_in": self.lifetime, "token_type": "Bearer"}
        return {"email": ACCOUNT, "scopes": ["https://www.googleapis.com/auth/cloud-platform"], "aliases": ["default"]}


@pytest.fixture
def google() -> Iterator[Google]:
    fake = Google()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200, fake.metadata(urlsplit(self.path).path))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert self.path == f"/v1/projects/-/serviceAccounts/{ACCOUNT}:signBlob"
            payload = base64.b64decode(body["payload"])
            fake.signed.append(payload)
            fake.bearers.append(self.headers["authorization"])
            status = fake.statuses.pop(0) if fake.statuses else 200
            self._say(status, {"keyId": "k", "signedBlob": base64.b64encode(fake.signature(payload)).decode()})

        def _say(self, status: int, answer: object) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("metadata-flavor", "Google")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            """Tests stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    yield fake
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def storage(google: Google) -> CloudStorage:
    """A bucket with the credentials that a Cloud Run service has: a token of the metadata server, and no key."""
    import requests
    from google.auth import compute_engine
    from google.auth.transport.requests import Request
    from google.cloud import storage as library
    from requests.adapters import HTTPAdapter

    class Here(HTTPAdapter):
        """Takes requests for Google's hosts to this machine."""

        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            request.url = google.url + request.path_url
            return super().send(request, *args, **kwargs)

    session = requests.Session()
    for host in ("https://iamcredentials.googleapis.com", "http://metadata.google.internal", "http://169.254.169.254"):
        session.mount(host, Here())
    credentials = compute_engine.Credentials(universe_domain="googleapis.com")
    client = library.Client(project="test", credentials=credentials)
    return CloudStorage(client.bucket("courses"), "site", iam=Request(session))


def given_by(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def life_of(url: str) -> timedelta:
    """How long the address still lives."""
    query = given_by(url)
    signed = datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return signed + timedelta(seconds=int(query["X-Goog-Expires"])) - datetime.now(UTC)


def string_to_sign(url: str) -> bytes:
    """What Cloud Storage computes to check an address (Cloud Storage, "V4 signing process")."""
    parts = urlsplit(url)
    query = "&".join(sorted(pair for pair in parts.query.split("&") if not pair.startswith("X-Goog-Signature=")))
    canonical = f"GET\n{parts.path}\n{query}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    given = given_by(url)
    scope = given["X-Goog-Credential"].partition("/")[2]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return f"GOOG4-RSA-SHA256\n{given['X-Goog-Date']}\n{scope}\n{digest}".encode()


def test_an_address_is_signed_by_iam_in_the_name_of_the_account(storage: CloudStorage, google: Google) -> None:
    url = storage.signed_url(KEY, HOUR, "video/mp4", "Lesson 1 – ä.mp4")
    assert url.startswith(f"https://storage.googleapis.com/courses/site/{KEY}?")
    query = given_by(url)
    assert query["X-Goog-Credential"].startswith(f"{ACCOUNT}/")
    assert query["response-content-type"] == "video/mp4"
    assert query["response-content-disposition"] == "inline; filename*=UTF-8''Lesson%201%20%E2%80%93%20%C3%A4.mp4"
    assert google.signed == [string_to_sign(url)]
    assert bytes.fromhex(query["X-Goog-Signature"]) == google.signature(google.signed[0])
    assert google.bearers == ["Bearer token-1"]


def test_iam_is_asked_once_for_a_room_full_of_viewers(storage: CloudStorage, google: Google) -> None:
    first = storage.signed_url(KEY, HOUR, "video/mp4")
    assert {storage.signed_url(KEY, HOUR, "video/mp4") for _ in range(50)} == {first}
    assert (len(google.signed), google.tokens) == (1, 1)
    assert storage.signed_url(KEY, HOUR, "image/jpeg") != first
    assert storage.signed_url("video/other.mp4", HOUR, "video/mp4") != first
    assert storage.signed_url(KEY, 3 * HOUR, "video/mp4") != first, "a longer life needs another address"
    assert (len(google.signed), google.tokens) == (4, 1)


def test_a_shared_address_still_lives_as_long_as_asked(
    storage: CloudStorage, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = storage.signed_url(KEY, HOUR)
    now = datetime.now(UTC).timestamp()
    monkeypatch.setattr("service.adapters.cloud_storage.time.time", lambda: now + SHARED.total_seconds() - 30)
    assert storage.signed_url(KEY, HOUR) == first
    assert life_of(first) >= HOUR + SHARED - timedelta(minutes=1)
    monkeypatch.setattr("service.adapters.cloud_storage.time.time", lambda: now + SHARED.total_seconds() + 30)
    storage.signed_url(KEY, HOUR)
    assert len(google.signed) == 2


@given(seconds=st.integers(1, int((LONGEST_ADDRESS - SHARED).total_seconds())))
@settings_of(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_address_lives_at_least_as_long_as_asked_and_never_outlives_its_key(
    storage: CloudStorage, seconds: int
) -> None:
    left = life_of(storage.signed_url(KEY, timedelta(seconds=seconds)))
    assert timedelta(seconds=seconds - 2) <= left <= LONGEST_ADDRESS


def test_an_hour_old_token_is_renewed(storage: CloudStorage, google: Google) -> None:
    google.lifetime = 0
    storage.signed_url(KEY, HOUR)
    storage.signed_url("video/other.mp4", HOUR)
    assert len(set(google.bearers)) == 2


def test_iam_that_stumbles_is_asked_again(storage: CloudStorage, google: Google) -> None:
    google.statuses = [503]
    assert storage.signed_url(KEY, HOUR)
    assert len(google.signed) == 2


def test_iam_that_refuses_is_named_and_one_that_fails_is_unavailable(storage: CloudStorage, google: Google) -> None:
    google.statuses = [403]
    with pytest.raises(Broken, match="sign addresses"):
        storage.signed_url(KEY, HOUR)
    assert len(google.signed) == 1
    google.statuses = [503] * 20
    with pytest.raises(Unavailable):
        storage.signed_url(KEY, HOUR)
    google.statuses = []
    good = google.url
    google.url = "http://127.0.0.1:9"
    with pytest.raises(Unavailable):
        storage.signed_url(KEY, HOUR)
    google.url = good
    assert storage.signed_url(KEY, HOUR), "it is asked again when it is back"


def test_credentials_of_a_person_cannot_sign_and_say_what_to_do() -> None:
    from google.cloud import storage as library
    from google.oauth2.credentials import Credentials

    client = library.Client(project="test", credentials=Credentials(token="t"))
    with pytest.raises(Broken, match="impersonate-service-account"):
        CloudStorage(client.bucket("courses")).signed_url(KEY, HOUR)
