"""A public bucket: a film is put there for everybody to watch, beside the private copy, once and for ever."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from renderer_job.work import Studio, film_lesson
from service.adapters.cloud_storage import CloudStorage
from service.adapters.speech import open_speech
from service.adapters.storage import PublicMedia, open_public_media
from service.db.lane import DONE, run_lane
from service.db.tables import RunState
from service.errors import BadInput
from service.settings import Settings
from tests.adapters.gcs import client_of
from tests.engine.desk import AT_ONCE, Desk
from tests.engine.test_filming import films, ordered, storyboarded

Film = Callable[[PublicMedia | None], int]


@pytest.fixture
def clouds(gcs: str) -> tuple[Any, CloudStorage, PublicMedia]:
    """The client, the private bucket, and the public one below a folder of this test."""
    client, folder = client_of(gcs), f"t{uuid.uuid4().hex}"
    public = CloudStorage(client.bucket("films"), folder, public=True)
    return client, CloudStorage(client.bucket("courses"), folder), PublicMedia(public, f"https://cdn.test/{folder}")


@pytest.fixture
def film(desk: Desk, settings: Settings, clouds: tuple[Any, CloudStorage, PublicMedia]) -> Film:
    """Work off what is ordered, with or without the public bucket."""
    speech = open_speech("silent:", openai_api_key="", openai_base_url="", cache_dir=None)
    quick = settings.model_copy(update={"idle_exit_seconds": 0.2})

    def work(public: PublicMedia | None) -> int:
        studio = Studio(clouds[1], speech, settings.data_dir / "scratch", public)
        handlers = {"film": partial(film_lesson, studio)}
        return run_lane(desk.engine, "render", handlers, settings=quick, stop=threading.Event(), backoff=AT_ONCE)

    return work


def test_a_film_is_public_beside_its_private_copy(
    desk: Desk, film: Film, clouds: tuple[Any, CloudStorage, PublicMedia]
) -> None:
    client, private, public = clouds
    run_id = ordered(desk, storyboarded(desk))
    assert film(public) == DONE
    assert desk.run_row(run_id).state == RunState.SUCCEEDED
    media = films(desk)[0]
    assert media.public_url == f"{public.address}/{media.video_key}"
    folder = public.address.rsplit("/", 1)[1]
    blobs = {blob.name: blob for blob in client.list_blobs("films", prefix=folder)}
    assert sorted(blobs) == sorted(f"{folder}/{key}" for key in (media.video_key, media.poster_key)), "nothing else"
    assert {blob.cache_control for blob in blobs.values()} == {"public, max-age=31536000, immutable"}
    assert blobs[f"{folder}/{media.video_key}"].content_type == "video/mp4"
    assert public.storage.get(media.video_key) == private.get(media.video_key)
    assert private.get(media.captions_key).startswith(b"WEBVTT")


def test_a_film_from_before_the_public_bucket_is_published_with_the_next_generation(
    desk: Desk, film: Film, clouds: tuple[Any, CloudStorage, PublicMedia]
) -> None:
    _, _, public = clouds
    lesson_id = storyboarded(desk)
    ordered(desk, lesson_id)
    film(None)
    before = films(desk)[0]
    assert before.public_url == ""
    assert public.storage.size(before.video_key) is None
    ordered(desk, lesson_id)
    film(public)
    after = films(desk)
    assert [media.public_url for media in after] == [f"{public.address}/{before.video_key}"], (
        "the same film, public now"
    )
    assert public.storage.size(before.video_key)
    assert after[0].film.segments_reused == after[0].film.segments


@pytest.mark.parametrize(
    ("url", "read_at", "address"),
    [
        ("gs://films", "", "https://storage.googleapis.com/films/video/a.mp4"),
        ("gs://films/2026", "", "https://storage.googleapis.com/films/2026/video/a.mp4"),
        ("gs://films", "https://media.example.org/", "https://media.example.org/video/a.mp4"),
        ("gs://films/2026", "https://example.org/m", "https://example.org/m/2026/video/a.mp4"),
    ],
)
def test_a_public_film_is_read_where_the_settings_say(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, gcs: str, url: str, read_at: str, address: str
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs)
    media = open_public_media(settings.model_copy(update={"media_url": url, "media_public_url": read_at}))
    assert media is not None
    assert media.url("video/a.mp4") == address


def test_without_a_public_bucket_there_is_none_and_a_nameless_one_is_refused(settings: Settings) -> None:
    assert open_public_media(settings) is None
    with pytest.raises(BadInput, match="names no bucket"):
        open_public_media(settings.model_copy(update={"media_url": "gs://"}))
