"""Canaries in every place of a secret or a text: requests and jobs, well and badly ended, and none in the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import partial

import pytest
from pydantic import TypeAdapter

from renderer_job.work import Studio, film_lesson
from service.adapters.doorbell import open_doorbell
from service.adapters.embeddings import OpenAIEmbedder
from service.adapters.provider import Patience
from service.adapters.speech import SilentSpeech
from service.adapters.vectors import open_vectors
from service.authors import open_author
from service.db.engine import session_scope
from service.db.lane import Task, run_lane
from service.db.tables import Chunk, Course, User
from service.errors import Broken
from service.pipeline.handlers import HANDLERS
from service.pipeline.runs import start_generate, start_plan
from service.ports import Services, Spoken
from service.settings import Settings
from service.web.app import create_app
from tests.adapters.openai_server import THROTTLED, ScriptedOpenAI, refused, scripted_openai
from tests.engine.desk import AT_ONCE
from tests.web.conftest import Browser
from tests.web.world import World
from tests.written_log import Lines, written_log

KEY, COOKIE = "sk-canary-openai-3fa9", "canary-cookie-key-of-thirty-two-characters"
PASSWORD, SIGNATURE = "canary-password-of-a-person", "canary5ignature0123456789abcdef"
TEXT = "the canary of the coal mine sang at noon"
QUICK = Patience(tries=2, base=0.01, cap=0.01, one_try=5.0, total=10.0)
DOCUMENT = "".join(
    f"# Mines, part {part}\n\nA canary is a small bird. In 191{part} {TEXT}, so the miners left. "
    f"Gas number {part} is heavier than air, and it collects in the lowest gallery of a mine.\n\n"
    for part in range(4)
).encode()


class Hoarse(SilentSpeech):
    """A voice that cannot speak some sentences, and says which, as Piper does."""

    def say(self, text: str) -> Spoken:
        if "canary" in text:
            raise Broken(f"The voice cannot speak “{text[:60]}”: no breath. Change the sentence.")
        return super().say(text)


def unforeseen(_: Services, task: Task) -> None:
    """Fails as a document does that does not fit its model."""
    task.say(f"Reading {TEXT}")
    TypeAdapter(int).validate_python(TEXT)


@pytest.fixture
def lines(settings: Settings) -> Iterator[Lines]:
    shape = {
        "environment": "production",
        "log_level": "debug",
        "cookie_keys": COOKIE,
        "openai_api_key": KEY,
        "storage_url": "gs://bucket",
        "jobs_url": "none:",
        "mail_url": "smtp://mail.example.org",
        "speech": "silent:",
    }
    with written_log(Settings(**{**settings.model_dump(), **shape})) as found:
        yield found


@pytest.fixture
def openai() -> Iterator[ScriptedOpenAI]:
    with scripted_openai() as server:
        yield server


@pytest.fixture
def parts(settings: Settings, services: Services, openai: ScriptedOpenAI) -> Iterator[Services]:
    secret = Settings(**{**settings.model_dump(), "cookie_keys": COOKIE, "openai_api_key": KEY, "log_level": "debug"})
    with closing(OpenAIEmbedder("text-embedding-3-small", KEY, openai.url, QUICK)) as embedder:
        yield replace(
            services,
            settings=secret.model_copy(update={"idle_exit_seconds": 0.3}),
            doorbell=open_doorbell(settings),
            author=open_author("offline"),
            vectors=open_vectors("memory:"),
            embedder=embedder,
        )


def work(parts: Services, **handlers: object) -> None:
    """Both lanes, until nothing is left."""
    studio = Studio(parts.storage, Hoarse(), parts.settings.data_dir / "scratch")
    author = {kind: partial(handler, parts) for kind, handler in {**HANDLERS, **handlers}.items()}  # type: ignore[arg-type]
    for lane, given in (("author", author), ("render", {"film": partial(film_lesson, studio)})):
        stop = threading.Event()
        run_lane(parts.engine, lane, given, settings=parts.settings, stop=stop, backoff=AT_ONCE)  # type: ignore[arg-type]


def test_no_secret_and_no_text_of_a_source_is_logged(
    lines: Lines, parts: Services, world: World, openai: ScriptedOpenAI, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    person = world.person("maren@example.org")
    course = world.draft(person, "Mines")
    with Browser(create_app(parts.settings, lambda _: nullcontext(parts))) as browser:
        browser.submit("/sign-in", "/sign-in", email="maren@example.org", password=PASSWORD)
        browser.sign_in("maren@example.org")
        browser.get(f"/media/video/abcdef.mp4?expires=1&type=video/mp4&name=&sig={SIGNATURE}")
        browser.get(f"/nothing/here?token={SIGNATURE}")
        file = {"file": ("mines.md", DOCUMENT, "text/markdown")}
        browser.post(f"/courses/{course}/sources", data={"csrf": browser.token()}, files=file)
        cookies = [cookie.value or "" for cookie in browser.cookies.jar]
    openai.script = [THROTTLED, refused(500)]
    work(parts)
    for start, handlers in ((start_plan, {"plan": unforeseen}), (start_plan, {}), (start_generate, {})):
        with session_scope(parts.engine) as session:
            start(session, session.get_one(Course, course), session.get_one(User, person))
        work(parts, **handlers)
    openai.script = [refused(401, "invalid_api_key")]
    try:
        parts.embedder.query(TEXT)  # type: ignore[union-attr]
    except Broken as error:
        logging.getLogger("service").error("the search by meaning fails", exc_info=error)

    with session_scope(parts.engine) as session:
        assert any(TEXT in chunk.body for chunk in session.query(Chunk))
    assert KEY in "".join(openai.keys)
    assert len(lines.all()) > 10
    # The log was in danger: an error's sentence quoted the text, and so did an error's own words.
    assert "cannot speak" in "\n".join(caplog.messages)
    assert "canary" in "\n".join(caplog.messages)
    assert "canary" in "\n".join(str(record.exc_info[1]) for record in caplog.records if record.exc_info)
    for secret in (KEY, COOKIE, PASSWORD, SIGNATURE, "canary", *cookies):
        assert len(secret) > 5
        assert secret not in lines.text, lines.text[:2000]
