"""Files in a Cloud Storage bucket: created once, checked on the way in and out, shown by addresses that IAM signs.

Google's client retries what is safe to retry; generation 0 ("does not exist yet") makes a write create-only and with
that safe (python-storage #316). What it leaves open is closed here: an answer that drips for ever, and its many kinds
of error.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from service.adapters.storage import checked, disk_faults
from service.errors import BadInput, Broken, CoursewrightError, NotFound, Unavailable
from service.traces import provider_call

if TYPE_CHECKING:
    from google.api_core.retry import Retry
    from google.auth.transport import Request
    from google.cloud.storage import Bucket
    from urllib3 import BaseHTTPResponse

T = TypeVar("T")

# Beyond 8 MiB the client uploads in a resumable session of chunks of this size, a multiple of 256 KiB; a lost chunk is
# sent again, not the file.
CHUNK_BYTES = 8 << 20
# IAM signs with keys that Google rotates: an address may stop working after 12 hours (Cloud IAM, signBlob).
LONGEST_ADDRESS = timedelta(hours=12)
# An address is signed for a little longer than asked, so that the next view can have the same one without asking IAM.
SHARED = timedelta(minutes=10)
ADDRESSES_KEPT = 2048
NOBODY_SIGNS = (
    "The credentials here belong to no service account, and only one can sign addresses. "
    "Run `gcloud auth application-default login --impersonate-service-account=ACCOUNT`."
)


@dataclass(frozen=True)
class Limits:
    """How long things may take, in seconds: to connect, between two bytes, one whole answer, and all tries together."""

    connect: float = 5.0
    read: float = 30.0
    answer: float = 60.0
    total: float = 120.0
    first_pause: float = 1.0
    longest_pause: float = 20.0

    @property
    def timeout(self) -> tuple[float, float]:
        return self.connect, self.read

    def retry(self) -> Retry:
        """The client's own judgement of what passes, with our limits. It stops when the next pause would pass them."""
        from google.cloud.storage.retry import DEFAULT_RETRY

        retry: Retry = DEFAULT_RETRY.with_timeout(self.total).with_delay(self.first_pause, self.longest_pause, 2.0)
        return retry


LIMITS = Limits()


def open_cloud_storage(bucket: str, prefix: str, public: bool = False) -> CloudStorage:
    """The bucket, with the credentials of this machine. Nothing is asked of it yet.

    Raises:
        BadInput: no bucket is named, or there are no credentials.
    """
    if not bucket:
        raise BadInput("The storage's address names no bucket. It looks like gs://BUCKET or gs://BUCKET/FOLDER.")
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud import storage

    try:
        client = storage.Client()
    except DefaultCredentialsError as error:
        raise BadInput(
            f"gs://{bucket} needs Google credentials and there are none. "
            "Run `gcloud auth application-default login`, or use file:."
        ) from error
    return CloudStorage(client.bucket(bucket), prefix, public=public)


class CloudStorage:
    """Objects in a bucket below `prefix`. `public` ones may be kept by everybody for ever: their key is their content.

    `iam` carries the requests that sign addresses; a test gives its own.
    """

    def __init__(
        self,
        bucket: Bucket,
        prefix: str = "",
        *,
        public: bool = False,
        limits: Limits = LIMITS,
        iam: Request | None = None,
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._public = public
        self._limits = limits
        self._how: dict[str, Any] = {"timeout": limits.timeout, "retry": limits.retry()}
        self._signer = _Signer(bucket.client._credentials, iam)
        self._addresses: OrderedDict[tuple[str, str, str], tuple[str, float]] = OrderedDict()
        self._turn = threading.Lock()
        _bound_answers(bucket.client._http, limits.answer)

    def put(self, key: str, body: bytes | Path, content_type: str) -> bool:
        from google.api_core.exceptions import PreconditionFailed

        blob = self._blob(key)
        blob.chunk_size = CHUNK_BYTES
        if self._public:
            blob.cache_control = "public, max-age=31536000, immutable"
        how = {"content_type": content_type, "if_generation_match": 0, "checksum": "crc32c", **self._how}
        try:
            with self._faults("upload"):
                if isinstance(body, Path):
                    _again_when_damaged(lambda: blob.upload_from_filename(str(body), **how))
                else:
                    _again_when_damaged(lambda: blob.upload_from_string(body, **how))
        except PreconditionFailed:
            return False
        except NotFound as error:
            raise self._no_bucket() from error
        except Broken:
            # Who may only create is told "forbidden" where another is told that the object is there.
            if self.size(key) is None:
                raise
            return False
        return True

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        from google.api_core.exceptions import RequestRangeNotSatisfiable

        if end is not None and end <= start:
            return b""
        bounds = {"start": start or None, "end": None if end is None else end - 1}

        def read() -> bytes:
            body = bytes(self._blob(key).download_as_bytes(checksum="crc32c", **bounds, **self._how))
            if (start or end is not None) and (end is None or len(body) < end - start):
                self._check_part(key, start, end, len(body))
            return body

        try:
            with self._faults("download"):
                return _again_when_damaged(read)
        except RequestRangeNotSatisfiable:
            return b""

    def fetch(self, key: str, to: Path) -> None:
        draft = to.with_name(f".{to.name}.{secrets.token_hex(4)}")
        blob = self._blob(key)
        try:
            # The network's errors are OSErrors too, so they must be told from the disk's first.
            with disk_faults(to.parent), self._faults("download"):
                _again_when_damaged(lambda: blob.download_to_filename(str(draft), checksum="crc32c", **self._how))
                draft.replace(to)
        finally:
            draft.unlink(missing_ok=True)

    def size(self, key: str) -> int | None:
        with self._faults("stat"):
            found = _again_when_damaged(lambda: self._bucket.get_blob(self._prefix + checked(key), **self._how))
        return None if found is None else int(found.size)

    def delete(self, key: str) -> None:
        with contextlib.suppress(NotFound), self._faults("delete"):
            _again_when_damaged(lambda: self._blob(key).delete(**self._how))

    def signed_url(self, key: str, lives: timedelta, content_type: str = "", filename: str = "") -> str:
        """An address that lives at least as long as asked, but never over 12 hours. Views within ten minutes share it,
        so that a full class room costs one signature.
        """
        lives = min(lives, LONGEST_ADDRESS - SHARED)
        wanted = (checked(key), content_type, filename)
        with self._turn:
            url, ends = self._addresses.get(wanted, ("", 0.0))
        if ends >= time.time() + lives.total_seconds():
            return url
        ends = time.time() + (lives + SHARED).total_seconds()
        url = self._signed(key, lives + SHARED, content_type, filename)
        with self._turn:
            self._addresses[wanted] = (url, ends)
            while len(self._addresses) > ADDRESSES_KEPT:
                self._addresses.popitem(last=False)
        return url

    def _signed(self, key: str, lives: timedelta, content_type: str, filename: str) -> str:
        disposition = f"inline; filename*=UTF-8''{quote(filename)}" if filename else None
        with self._faults("sign"):
            return str(
                self._blob(key).generate_signed_url(
                    version="v4",
                    expiration=lives,
                    response_type=content_type or None,
                    response_disposition=disposition,
                    credentials=self._signer.credentials(),
                )
            )

    def _check_part(self, key: str, start: int, end: int | None, got: int) -> None:
        """A part carries no checksum, and a short one may just be the object's end."""
        whole = self.size(key) or 0
        if got != max(0, min(whole, end or whole) - start):
            raise ConnectionError("the part is shorter than it was asked for")

    def _blob(self, key: str) -> Any:
        return self._bucket.blob(self._prefix + checked(key))

    def _no_bucket(self) -> Broken:
        return Broken(f"There is no bucket gs://{self._bucket.name}. Create it, or correct the storage's address.")

    @contextmanager
    def _faults(self, operation: str) -> Iterator[None]:
        """The cloud's errors in our terms; those that mean something to one caller pass through. Its time as a span."""
        from google.api_core import exceptions as cloud

        try:
            with provider_call("gcp.storage", operation):
                yield
        except (cloud.PreconditionFailed, cloud.RequestRangeNotSatisfiable):
            raise
        except _cloud_errors() as error:
            raise self._judged(error) from error

    def _judged(self, error: Exception) -> CoursewrightError:
        code = getattr(error, "code", None)
        if code == 404:
            return NotFound("There is no file under this name.")
        if code in (401, 403) or _refused(error):
            return Broken(
                f"The file storage gs://{self._bucket.name} refuses us. "
                "Check that this service account may use the bucket and sign addresses."
            )
        if isinstance(code, int) and 400 <= code < 500 and code not in (408, 429):
            return Broken(f"The file storage refused ({code}). Check the bucket gs://{self._bucket.name}.")
        return Unavailable("The file storage does not answer now. Try again in a moment.")


def _refused(error: Exception) -> bool:
    """Whether Google knows who we are and says no; `retryable` alone is also False for a network that is away."""
    from google.auth.exceptions import GoogleAuthError, TransportError

    if isinstance(error, TransportError):
        return str(error).startswith("Error calling the IAM")
    return isinstance(error, GoogleAuthError) and not error.retryable


def _cloud_errors() -> tuple[type[Exception], ...]:
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    network = (ConnectionError, TimeoutError, RequestException, HTTPError)
    return (GoogleAPIError, GoogleAuthError, DataCorruption, InvalidResponse, *network)


def _again_when_damaged(call: Callable[[], T], tries: int = 3) -> T:
    """An answer whose checksum, length or JSON is wrong is asked for anew: the client retries cut answers only."""
    from google.cloud.storage.exceptions import DataCorruption
    from requests.exceptions import JSONDecodeError

    for left in range(tries - 1, -1, -1):
        try:
            return call()
        except (DataCorruption, JSONDecodeError, ConnectionError):
            if not left:
                raise
    raise AssertionError("tries is at least 1")


class _Signer:
    """Credentials that can sign: the client's own when they hold a key, else IAM's signBlob in their name."""

    def __init__(self, own: Any, iam: Request | None) -> None:
        self._own, self._iam = own, iam
        self._signing: Any = None
        self._turn = threading.Lock()

    def credentials(self) -> Any:
        from google.auth import iam
        from google.auth.credentials import Signing
        from google.auth.transport.requests import Request
        from google.oauth2.service_account import Credentials

        if isinstance(self._own, Signing):
            return self._own
        with self._turn:
            if self._signing is None:
                request = self._iam or Request()
                # Only a refresh tells credentials of the metadata server whose they are; later ones the signer does.
                if not self._own.valid:
                    self._own.refresh(request)
                email = getattr(self._own, "service_account_email", None)
                if email is None:
                    raise Broken(NOBODY_SIGNS)
                signer = iam.Signer(request, self._own, email)  # type: ignore[no-untyped-call]
                self._signing = Credentials(signer, email, token_uri="")  # type: ignore[no-untyped-call]
            return self._signing


def _bound_answers(session: Any, seconds: float) -> None:
    """From now on no answer of this session takes longer, however slowly it drips: its socket is shut down, which the
    client takes for a cut connection and continues where it was.
    """
    watch = _Watch(seconds)
    session.hooks["response"].append(lambda response, **_: watch.over(response.raw))


class _Watch:
    """One thread that looks after all open answers, because a timer for each would be a thread for each."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._open: list[tuple[float, weakref.ref[BaseHTTPResponse]]] = []
        self._turn = threading.Lock()
        self._running = False

    def over(self, answer: BaseHTTPResponse) -> None:
        with self._turn:
            self._open.append((time.monotonic() + self._seconds, weakref.ref(answer)))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="slow answers", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(min(1.0, self._seconds / 4))
            now = time.monotonic()
            with self._turn:
                late = [answer for ends, answer in self._open if ends <= now]
                self._open = [(ends, answer) for ends, answer in self._open if ends > now and _unread(answer())]
                self._running = running = bool(self._open)
            for answer in late:
                _cut(answer())
            if not running:
                return


def _cut(answer: BaseHTTPResponse | None) -> None:
    # ValueError and RuntimeError: it was read to its end already.
    with contextlib.suppress(ValueError, RuntimeError, OSError):
        if answer is not None:
            answer.shutdown()


def _unread(answer: BaseHTTPResponse | None) -> bool:
    return answer is not None and answer.connection is not None
