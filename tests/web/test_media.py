"""Where a player finds its film, signed for or in public, and what people read when the storage fails."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from service.db.engine import session_scope
from service.db.tables import Media
from service.domain.storyboard import Film
from service.errors import Full, Resting, Throttled, Unavailable
from service.ports import Services
from service.settings import Settings
from service.web import lessons
from service.web.app import create_app
from service.web.site import media_origin
from tests.web.conftest import Browser
from tests.web.world import World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
PUBLIC = "https://media.example.org/films"


class Noted:
    """A storage that notes what it is asked to sign."""

    def __init__(self) -> None:
        self.lives: list[timedelta] = []

    def signed_url(self, key: str, lives: timedelta, content_type: str = "", filename: str = "") -> str:
        self.lives.append(lives)
        return f"/media/{key}?{content_type}{filename}"


@given(seconds=st.floats(0, 6 * 3600))
def test_a_signed_address_lives_twice_the_films_length_and_an_hour_at_least(seconds: float) -> None:
    storage: Any = Noted()
    film = Film(lesson_id="1", seconds=seconds, cues=(), chapters=(), voice="silent:", segments=1, segments_reused=0)
    media = Media(film=film, video_key="video/a.mp4", poster_key="poster/a.jpg", public_url="")
    parts: Any = type("Parts", (), {"storage": storage, "settings": Settings(media_url="")})
    assert set(lessons._urls(parts, media)) == {"video", "poster"}
    assert len(storage.lives) == 2
    assert all(lives >= max(timedelta(hours=1), timedelta(seconds=2 * seconds)) for lives in storage.lives)


@pytest.fixture
def public(settings: Settings, services: Services, world: World, engine: Engine) -> tuple[Browser, str]:
    """A site with a public bucket, and a lesson of it whose film is there."""
    given = settings.model_copy(update={"media_url": "gs://films", "media_public_url": PUBLIC})
    course = world.course(world.person("owner@example.org"), "published")
    with session_scope(engine) as session:
        mine = update(Media).where(Media.lesson_id == world.lessons[0])
        session.execute(mine.values(public_url=f"{PUBLIC}/films/{world.lessons[0]}-video.mp4"))
    app = create_app(given, lambda _: nullcontext(replace(services, settings=given)))
    return Browser(app), f"/courses/{course}/lessons/{world.lessons[0]}"


def test_a_public_film_is_played_from_its_own_address(public: tuple[Browser, str], world: World) -> None:
    browser, lesson = public
    with browser:
        page = browser.get(lesson)
        film = f"{PUBLIC}/films/{world.lessons[0]}"
        assert html.unescape(re.search(r'<video [^>]*src="([^"]+)"', page.text).group(1)) == f"{film}-video.mp4"  # type: ignore[union-attr]
        assert f'poster="{film}-poster.jpg"' in page.text
        policy = page.headers["content-security-policy"]
        assert "media-src 'self' https://media.example.org;" in policy
        assert "img-src 'self' https://media.example.org;" in policy
        fresh = browser.get(f"{lesson}/media", headers={"Accept": "application/json"}).json()
        assert fresh == {"video": f"{film}-video.mp4", "poster": f"{film}-poster.jpg"}


def test_captions_of_a_public_film_still_come_from_the_site(public: tuple[Browser, str]) -> None:
    browser, lesson = public
    with browser:
        track = re.search(r'<track [^>]*src="([^"]+)"', browser.get(lesson).text)
        assert track
        assert track.group(1).startswith("/courses/"), "a track of another origin needs CORS, and this one does not"
        assert browser.get(html.unescape(track.group(1))).text.startswith("WEBVTT")


def test_a_film_without_a_public_copy_is_signed_for_and_so_are_all_when_the_bucket_is_given_up(
    public: tuple[Browser, str], world: World, engine: Engine, settings: Settings, services: Services
) -> None:
    browser, lesson = public
    with Browser(create_app(settings, lambda _: nullcontext(services))) as private:
        assert 'src="/media/films/' in private.get(lesson).text
    with session_scope(engine) as session:
        session.execute(update(Media).values(public_url=""))
    with browser:
        assert 'src="/media/films/' in browser.get(lesson).text


@pytest.mark.parametrize(
    ("storage", "media", "read_at", "origins"),
    [
        ("file:", "", "", ""),
        ("gs://courses", "", "", "https://storage.googleapis.com"),
        ("file:", "gs://films", "", "https://storage.googleapis.com"),
        ("file:", "gs://films", "https://cdn.example.org/f", "https://cdn.example.org"),
        (
            "gs://courses",
            "gs://films",
            "https://cdn.example.org",
            "https://storage.googleapis.com https://cdn.example.org",
        ),
        ("gs://courses", "", "https://cdn.example.org", "https://storage.googleapis.com"),
    ],
)
def test_players_may_fetch_from_where_films_are_and_nowhere_else(
    settings: Settings, storage: str, media: str, read_at: str, origins: str
) -> None:
    changed = {"storage_url": storage, "media_url": media, "media_public_url": read_at}
    assert media_origin(settings.model_copy(update=changed)) == origins


@pytest.mark.parametrize(
    ("error", "status", "again", "title"),
    [
        (Unavailable("The file storage does not answer now. Try again."), 503, "20", "does not answer"),
        (Throttled("It wants less. Wait.", 7.2), 503, "8", "does not answer"),
        (Throttled("It wants less. Wait."), 503, "20", "does not answer"),
        (Resting("It is left alone. Wait.", 90), 503, "90", "does not answer"),
        (Full("There is no space left in /srv/secret. Free some."), 507, None, "no room left"),
    ],
    ids=["away", "throttled", "throttled without a time", "resting", "full"],
)
def test_what_may_pass_says_when_to_come_back_and_a_full_disk_says_so(
    maren: Browser,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    again: str,
    title: str,
) -> None:
    def fail(*_: object) -> None:
        raise error

    made = maren.submit("/courses/new", "/courses/new")
    assert made.status_code == 303
    monkeypatch.setattr(services.storage, "put", fail)
    page = maren.get(made.headers["location"].split("?")[0])
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token
    address = re.sub("/brief.*", "/sources", made.headers["location"])
    answer = maren.post(
        address, data={"csrf": token.group(1)}, files={"file": ("notes.md", b"# Knots\n\nA bowline is a knot.")}
    )
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, again)
    assert title in answer.text
    assert "/srv/secret" not in answer.text
