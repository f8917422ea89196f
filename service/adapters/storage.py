"""Files by content-addressed key: in a folder of this machine with signed addresses of our own, or in Cloud Storage.

Objects are created once and never changed, so a repeated upload is a success, and a half-written one is never seen.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from service.errors import BadInput, NotFound, Unavailable
from service.ports import StorageService
from service.settings import ROOT, Settings

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
UNFINISHED = ".unfinished"
UNFINISHED_LIVES_SECONDS = 24 * 3600
FULL = (errno.ENOSPC, errno.EDQUOT)
NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def open_storage(settings: Settings, signing_key: bytes | None = None) -> StorageService:
    """The storage behind STORAGE_URL. `signing_key` signs `file:` addresses; without it a key is kept in DATA_DIR.

    Raises:
        BadInput: the address cannot be used.
    """
    url = urlsplit(settings.storage_url)
    if url.scheme == "gs":
        return _cloud_storage(url.netloc, url.path.strip("/"))
    if url.netloc not in ("", "localhost"):
        raise BadInput(f"STORAGE_URL: file:///{url.netloc}{url.path} has three slashes before an absolute path.")
    root = ROOT / unquote(url.path) if url.path else settings.data_dir / "media"
    return FileStorage(root, signing_key or settings.data_dir / "media.key")


def _checked(key: str) -> str:
    """The key itself when it is one of ours; anything else could name a file outside of the storage."""
    if len(key) > 500 or not KEY.fullmatch(key):
        raise NotFound("There is no file under this name.")
    return key


class FileStorage:
    """Objects as files below `root`. The site serves them at `/media/{key}` after `verify`."""

    def __init__(self, root: Path, signing_key: bytes | Path) -> None:
        self.root = root
        self._signing_key = signing_key
        self._remove_unfinished()

    def path(self, key: str) -> Path:
        """The file of an object, for sending it. Raises NotFound."""
        found = self.root / _checked(key)
        if not found.is_file():
            raise NotFound("There is no file under this name.")
        return found

    def put(self, key: str, body: bytes | Path, content_type: str) -> bool:  # noqa: ARG002 - the signed address tells
        target = self.root / _checked(key)
        if target.is_file():
            return False
        with _told_as_unavailable(self.root):
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._written(body) as draft:
                return _publish(draft, target)

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        with self.path(key).open("rb") as file:
            file.seek(start)
            return file.read(-1 if end is None else max(0, end - start))

    def fetch(self, key: str, to: Path) -> None:
        source = self.path(key)
        draft = to.with_name(f".{to.name}.{secrets.token_hex(4)}")
        try:
            with _told_as_unavailable(to.parent):
                shutil.copyfile(source, draft)
                draft.replace(to)
        finally:
            draft.unlink(missing_ok=True)

    def size(self, key: str) -> int | None:
        try:
            return self.path(key).stat().st_size
        except (NotFound, FileNotFoundError):
            return None

    def delete(self, key: str) -> None:
        with contextlib.suppress(NotFound):
            self.path(key).unlink(missing_ok=True)

    def signed_url(self, key: str, lives: timedelta, content_type: str = "", filename: str = "") -> str:
        expires = str(int(time.time() + lives.total_seconds()))
        given = {"expires": expires, "type": content_type, "name": filename}
        signature = self._signature(_checked(key), given)
        return f"/media/{quote(key)}?{urlencode({**given, 'sig': signature})}"

    def verify(self, key: str, params: Mapping[str, str]) -> bool:
        """Whether these are the parameters of an address that we signed for this key, and it has not expired."""
        expires = params.get("expires", "")
        if not expires.isascii() or not expires.isdigit() or int(expires) < time.time():
            return False
        return hmac.compare_digest(self._signature(key, params).encode(), params.get("sig", "").encode())

    def _signature(self, key: str, params: Mapping[str, str]) -> str:
        # Each part carries its length, so that no two different requests give the same text.
        parts = [key, *(params.get(name, "") for name in ("expires", "type", "name"))]
        signed = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.new(self._secret(), signed.encode(), hashlib.sha256).hexdigest()

    def _secret(self) -> bytes:
        if isinstance(self._signing_key, Path):
            self._signing_key = _kept_key(self._signing_key)
        return self._signing_key

    @contextmanager
    def _written(self, body: bytes | Path) -> Iterator[Path]:
        """The body in a file of its own, flushed to the disk; removed afterwards."""
        folder = self.root / UNFINISHED
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder)
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                if isinstance(body, Path):
                    with body.open("rb") as source:
                        shutil.copyfileobj(source, file, 1 << 20)
                else:
                    file.write(body)
                file.flush()
                os.fsync(file.fileno())
            draft.chmod(0o644)
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    def _remove_unfinished(self) -> None:
        """What a killed process was writing, once it is old enough that nobody can be writing it still."""
        for draft in (self.root / UNFINISHED).glob("*"):
            with contextlib.suppress(OSError):
                if draft.stat().st_mtime < time.time() - UNFINISHED_LIVES_SECONDS:
                    draft.unlink()


def _publish(draft: Path, target: Path) -> bool:
    """Give the finished file its name in one step; False when somebody else was first."""
    try:
        os.link(draft, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
        draft.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


@contextmanager
def _told_as_unavailable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise Unavailable(f"There is no space left in {folder}. Free some, then try again.") from error
        raise Unavailable(f"{folder} cannot be written: {error.strerror}. Check its permissions.") from error


def _kept_key(path: Path) -> bytes:
    """The signing key in this file; made once, by whoever comes first."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
        _publish(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)
    return path.read_bytes()


def _cloud_storage(bucket: str, prefix: str) -> StorageService:
    if not bucket:
        raise BadInput("STORAGE_URL names no bucket. It looks like gs://BUCKET or gs://BUCKET/FOLDER.")
    from google.cloud import storage

    return CloudStorage(storage.Client().bucket(bucket), prefix)


class CloudStorage:
    """Objects in a Cloud Storage bucket below `prefix`. Addresses are signed by IAM: there is no key file."""

    def __init__(self, bucket: Bucket, prefix: str = "") -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    def put(self, key: str, body: bytes | Path, content_type: str) -> bool:
        from google.api_core.exceptions import PreconditionFailed

        blob = self._blob(key)
        # Generation 0 means "does not exist yet": it makes the upload create-only, and with that safe to retry.
        how: dict[str, Any] = {"content_type": content_type, "if_generation_match": 0, "checksum": "crc32c"}
        try:
            with _cloud_faults():
                if isinstance(body, Path):
                    blob.upload_from_filename(str(body), **how)
                else:
                    blob.upload_from_string(body, **how)
        except PreconditionFailed:
            return False
        return True

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        from google.api_core.exceptions import RequestRangeNotSatisfiable

        if end is not None and end <= start:
            return b""
        try:
            with _cloud_faults():
                body = self._blob(key).download_as_bytes(start=start or None, end=None if end is None else end - 1)
        except RequestRangeNotSatisfiable:
            return b""
        return bytes(body)

    def fetch(self, key: str, to: Path) -> None:
        draft = to.with_name(f".{to.name}.{secrets.token_hex(4)}")
        try:
            with _cloud_faults(), _told_as_unavailable(to.parent):
                self._blob(key).download_to_filename(str(draft))
                draft.replace(to)
        finally:
            draft.unlink(missing_ok=True)

    def size(self, key: str) -> int | None:
        with _cloud_faults():
            found = self._bucket.get_blob(self._prefix + _checked(key))
        return None if found is None else int(found.size)

    def delete(self, key: str) -> None:
        with contextlib.suppress(NotFound), _cloud_faults():
            self._blob(key).delete()

    def signed_url(self, key: str, lives: timedelta, content_type: str = "", filename: str = "") -> str:
        disposition = f"inline; filename*=UTF-8''{quote(filename)}" if filename else None
        with _cloud_faults():
            return str(
                self._blob(key).generate_signed_url(
                    version="v4",
                    expiration=lives,
                    response_type=content_type or None,
                    response_disposition=disposition,
                    **_signer(self._bucket.client._credentials),
                )
            )

    def _blob(self, key: str) -> Any:
        return self._bucket.blob(self._prefix + _checked(key))


def _signer(credentials: Any) -> dict[str, str]:
    """Credentials without a private key sign through IAM, and must be fresh for that."""
    from google.auth.credentials import Signing
    from google.auth.transport.requests import Request

    if isinstance(credentials, Signing):
        return {}
    if not credentials.valid:
        credentials.refresh(Request())
    return {"service_account_email": credentials.service_account_email, "access_token": credentials.token}


@contextmanager
def _cloud_faults() -> Iterator[None]:
    """The cloud's errors in our terms; those that mean something to one caller pass through."""
    from google.api_core import exceptions as cloud
    from google.auth.exceptions import TransportError
    from requests.exceptions import RequestException

    try:
        yield
    except cloud.NotFound as error:
        raise NotFound("There is no file under this name.") from error
    except (cloud.PreconditionFailed, cloud.RequestRangeNotSatisfiable):
        raise
    except (cloud.GoogleAPICallError, TransportError, RequestException) as error:
        raise Unavailable("The file storage does not answer now. Try again in a moment.") from error
