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
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urlsplit

from service.errors import BadInput, Full, NotFound, Unavailable
from service.ports import StorageService
from service.settings import ROOT, Settings

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
UNFINISHED = ".unfinished"
UNFINISHED_LIVES_SECONDS = 24 * 3600
FULL = (errno.ENOSPC, errno.EDQUOT)
NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def open_storage(settings: Settings, signing_key: bytes | None = None) -> StorageService:
    """The storage behind STORAGE_URL. `signing_key` signs `file:` addresses; without it a key is kept in DATA_DIR.

    Raises:
        BadInput: the address cannot be used, or its folder cannot be written.
    """
    url = urlsplit(settings.storage_url)
    if url.scheme == "gs":
        return _bucket(settings.storage_url)
    root = folder_of(settings)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise BadInput(
            f"STORAGE_URL={settings.storage_url} cannot be written: {error.strerror}. "
            "Name a folder that can: STORAGE_URL=file:/path."
        ) from error
    return FileStorage(root, signing_key or settings.data_dir / "media.key")


@dataclass(frozen=True)
class PublicMedia:
    """Where everybody may watch: the bucket that films are put into, and where it is read."""

    storage: StorageService
    address: str

    def url(self, key: str) -> str:
        """Where everybody reads this object."""
        return f"{self.address}/{quote(key)}"


def open_public_media(settings: Settings) -> PublicMedia | None:
    """The bucket behind MEDIA_URL; None when films are shown by signed addresses.

    Raises:
        BadInput: the address cannot be used.
    """
    if not settings.media_url:
        return None
    url = urlsplit(settings.media_url)
    origin = settings.media_public_url.rstrip("/") or f"https://storage.googleapis.com/{url.netloc}"
    address = "/".join(part for part in (origin, url.path.strip("/")) if part)
    return PublicMedia(_bucket(settings.media_url, public=True), address)


def _bucket(address: str, public: bool = False) -> StorageService:
    from service.adapters.cloud_storage import open_cloud_storage

    url = urlsplit(address)
    return open_cloud_storage(url.netloc, url.path.strip("/"), public)


def folder_of(settings: Settings) -> Path:
    """The folder that STORAGE_URL=file: means: absolute, below the code, or `media` in DATA_DIR. Raises BadInput."""
    url = urlsplit(settings.storage_url)
    if url.netloc not in ("", "localhost"):
        raise BadInput(f"STORAGE_URL: file:///{url.netloc}{url.path} has three slashes before an absolute path.")
    return ROOT / unquote(url.path) if url.path else settings.data_dir / "media"


def checked(key: str) -> str:
    """The key itself when it is one of ours; anything else could name a file outside of the storage.

    Raises:
        NotFound: it is none of ours.
    """
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
        found = self.root / checked(key)
        # A link that leads out would show whatever the process may read.
        if not found.is_file() or not found.resolve().is_relative_to(self.root.resolve()):
            raise NotFound("There is no file under this name.")
        return found

    def put(self, key: str, body: bytes | Path, content_type: str) -> bool:  # noqa: ARG002 - the signed address tells
        target = self.root / checked(key)
        with disk_faults(self.root):
            if target.is_file():
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._written(body) as draft:
                return _publish(draft, target)

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        with disk_faults(self.root, reading=True), self.path(key).open("rb") as file:
            file.seek(start)
            return file.read(-1 if end is None else max(0, end - start))

    def fetch(self, key: str, to: Path) -> None:
        with disk_faults(self.root, reading=True):
            source = self.path(key)
        draft = to.with_name(f".{to.name}.{secrets.token_hex(4)}")
        try:
            with disk_faults(to.parent):
                shutil.copyfile(source, draft)
                draft.replace(to)
        finally:
            draft.unlink(missing_ok=True)

    def size(self, key: str) -> int | None:
        try:
            with disk_faults(self.root, reading=True):
                return self.path(key).stat().st_size
        except NotFound:
            return None

    def delete(self, key: str) -> None:
        with contextlib.suppress(NotFound), disk_faults(self.root, reading=True):
            self.path(key).unlink(missing_ok=True)

    def signed_url(self, key: str, lives: timedelta, content_type: str = "", filename: str = "") -> str:
        expires = str(int(time.time() + lives.total_seconds()))
        given = {"expires": expires, "type": content_type, "name": filename}
        signature = self._signature(checked(key), given)
        return f"/media/{quote(key)}?{urlencode({**given, 'sig': signature})}"

    def verify(self, key: str, params: Mapping[str, str]) -> bool:
        """Whether these are the parameters of an address that we signed for this key, and it has not expired."""
        # First: what we signed is a number, and what anybody else writes there may be one without end.
        if not hmac.compare_digest(self._signature(key, params).encode(), params.get("sig", "").encode()):
            return False
        return int(params["expires"]) >= time.time()

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
def disk_faults(folder: Path, reading: bool = False) -> Iterator[None]:
    """A disk's errors in our terms. When reading, a file that went away meanwhile is one that is not there."""
    try:
        yield
    except OSError as error:
        if reading and isinstance(error, FileNotFoundError):
            raise NotFound("There is no file under this name.") from error
        if error.errno in FULL:
            raise Full(f"There is no space left in {folder}. Free some, then try again.") from error
        raise Unavailable(f"{folder} cannot be used: {error.strerror}. Check its disk and permissions.") from error


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
