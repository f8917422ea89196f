"""Storage keeps what it is given, once, and shows it only to whoever holds a signed address."""

from __future__ import annotations

import errno
import os
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from service.adapters import storage as storage_module
from service.adapters.cloud_storage import CloudStorage
from service.adapters.storage import FileStorage, folder_of, open_storage
from service.errors import BadInput, Full, NotFound, Unavailable
from service.ports import StorageService
from service.settings import ROOT, Settings
from tests.adapters.gcs import client_of

HOUR = timedelta(hours=1)
BAD_KEYS = [
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
]
KEY = "video/0a1b.mp4"


@pytest.fixture
def files(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "media", b"key")


def params(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


# --- the contract ---


@pytest.fixture(params=["file", "gs"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> StorageService:
    if request.param == "file":
        return FileStorage(tmp_path / "media", b"key")
    client = client_of(request.getfixturevalue("gcs"))
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


def test_a_fetched_file_replaces_what_was_there_and_a_failed_fetch_does_not(
    kept: StorageService, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"before")
    with pytest.raises(NotFound):
        kept.fetch(KEY, target)
    assert target.read_bytes() == b"before"
    kept.put(KEY, b"after", "text/plain")
    kept.fetch(KEY, target)
    assert target.read_bytes() == b"after"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out"]


def test_a_file_cannot_be_fetched_into_a_folder_that_is_not_there(kept: StorageService, tmp_path: Path) -> None:
    kept.put(KEY, b"x", "text/plain")
    with pytest.raises(Unavailable, match="cannot be used"):
        kept.fetch(KEY, tmp_path / "nowhere" / "out")


@pytest.mark.parametrize("body", [b"", b"\0", os.urandom(70_000)], ids=len)
def test_any_body_comes_back_as_it_was(kept: StorageService, body: bytes) -> None:
    assert kept.put(KEY, body, "application/octet-stream")
    assert kept.get(KEY) == body
    assert kept.size(KEY) == len(body)


@given(size=st.integers(0, 40), start=st.integers(0, 50), length=st.none() | st.integers(-3, 50))
@settings_of(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_part_is_the_slice(kept: StorageService, size: int, start: int, length: int | None) -> None:
    body = bytes(range(size))
    key = f"part/{size}.bin"
    kept.put(key, body, "application/octet-stream")
    end = None if length is None else start + length
    assert kept.get(key, start, end) == body[start : None if end is None else max(start, end)]


def test_of_many_writers_at_once_exactly_one_creates_the_object(kept: StorageService) -> None:
    created: list[bool] = []
    writers = [threading.Thread(target=lambda: created.append(kept.put(KEY, b"x" * 100_000, "t/x"))) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(created) == [False] * 7 + [True]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_no_key_leads_out_of_the_storage(kept: StorageService, tmp_path: Path, key: str) -> None:
    uses: list[Callable[[], object]] = [
        lambda: kept.put(key, b"x", "text/plain"),
        lambda: kept.get(key),
        lambda: kept.fetch(key, tmp_path / "out"),
        lambda: kept.signed_url(key, HOUR),
    ]
    for use in uses:
        with pytest.raises(NotFound):
            use()
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "out").exists()


# --- files ---


def test_a_link_that_leads_out_is_not_followed_and_a_linked_storage_is(files: FileStorage, tmp_path: Path) -> None:
    files.put(KEY, b"mine", "text/plain")
    (tmp_path / "secret").write_bytes(b"secret")
    (files.root / "video" / "out").symlink_to(tmp_path / "secret")
    (files.root / "away").symlink_to(tmp_path)
    for key in ("video/out", "away/secret"):
        with pytest.raises(NotFound):
            files.get(key)
        assert files.size(key) is None
    (tmp_path / "elsewhere").symlink_to(files.root)
    assert FileStorage(tmp_path / "elsewhere", b"key").get(KEY) == b"mine"


def test_a_full_disk_is_said_plainly_and_leaves_nothing(files: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Full, match="no space left"):
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
    [
        {"expires": "99999999999"},
        {"expires": "9" * 5000},
        {"expires": ""},
        {"type": "text/html"},
        {"name": "x"},
        {"sig": "0"},
        {"sig": "ä"},
    ],
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
    found = folder_of(settings.model_copy(update={"storage_url": url}))
    assert found == (root or settings.data_dir / "media")


def test_the_folder_of_the_storage_is_made_at_the_start(settings: Settings, tmp_path: Path) -> None:
    open_storage(settings.model_copy(update={"storage_url": f"file://{tmp_path}/new/media"}))
    assert (tmp_path / "new" / "media").is_dir()
    assert list((tmp_path / "new" / "media").iterdir()) == []


@pytest.mark.parametrize("where", ["/proc/nope", "{file}/media", "{file}"])
def test_a_folder_that_cannot_be_written_is_refused_in_one_line(settings: Settings, tmp_path: Path, where: str) -> None:
    (tmp_path / "a-file").write_bytes(b"")
    url = "file://" + where.format(file=tmp_path / "a-file")
    with pytest.raises(BadInput, match=r"^STORAGE_URL=file:///\S+ cannot be written: [^\n]+ STORAGE_URL=file:/path\.$"):
        open_storage(settings.model_copy(update={"storage_url": url}))


@pytest.mark.parametrize("url", ["file://srv/media", "gs:", "gs://"])
def test_an_address_that_names_no_place_is_refused(settings: Settings, url: str) -> None:
    with pytest.raises(BadInput, match=r"three slashes|names no bucket"):
        open_storage(settings.model_copy(update={"storage_url": url}))
