"""One trace from a person's request through the outbox, the topic and the push to the worker, on the real parts."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, replace
from functools import partial

import pytest
from fastapi import FastAPI
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from sqlalchemy import text

from service.adapters.cloud_run import open_cloud_run
from service.adapters.database import open_engine
from service.adapters.doorbell import open_doorbell
from service.adapters.embeddings import OpenAIEmbedder
from service.adapters.vectors import open_vectors
from service.authors import open_author
from service.db.lane import run_lane
from service.pipeline.handlers import HANDLERS
from service.ports import Services
from service.settings import Settings
from service.web.app import create_app
from tests.adapters.cloud_run_server import CloudRun, serve_cloud_run
from tests.adapters.openai_server import scripted_openai
from tests.adapters.pubsub_server import Topics, topics_here
from tests.recorded import TRACED, Recorded, attributes, recording, trace_id
from tests.web.conftest import Browser
from tests.web.service_tokens import PUBLIC_URL, Issuer, serve_issuer
from tests.web.world import World

PERSON = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CLOUDS_OWN = "00-11111111111111111111111111111111-2222222222222222-01"
COURSE_TRACE = 0x0AF7651916CD43DD8448EB211C80319C
CANARY = "the canary of the coal mine sang at noon"
DOCUMENT = f"# Birds\n\nA canary is a small bird. In 1911 {CANARY}, so the miners left.\n".encode()


@dataclass
class Cloud:
    """The whole of it: the site, what it rings and starts, and what was recorded."""

    services: Services
    app: FastAPI
    topics: Topics
    jobs: CloudRun
    issuer: Issuer
    recorded: Recorded


@pytest.fixture
def cloud(settings: Settings, services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    recorded = recording()
    with ExitStack() as stack:
        topics, jobs = stack.enter_context(topics_here()), stack.enter_context(serve_cloud_run())
        issuer, openai = stack.enter_context(serve_issuer()), stack.enter_context(scripted_openai())
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", topics.address)
        traced = settings.model_copy(
            update={
                **issuer.settings(),
                "traces_url": TRACED.traces_url,
                "queue_url": "pubsub://a-project/doorbell",
                "jobs_url": f"cloudrun://a-project/europe-west1?endpoint={jobs.endpoint}",
                "idle_exit_seconds": 0.3,
            }
        )
        engine = stack.enter_context(open_engine(traced))
        stack.callback(SQLAlchemyInstrumentor().uninstrument)
        parts = replace(
            services,
            settings=traced,
            engine=engine,
            doorbell=stack.enter_context(closing(open_doorbell(traced))),
            launcher=stack.enter_context(closing(open_cloud_run(traced))),
            author=open_author("offline"),
            vectors=open_vectors("memory:"),
            embedder=stack.enter_context(closing(OpenAIEmbedder("text-embedding-3-small", "sk-canary", openai.url))),
        )
        app = create_app(traced, lambda _: nullcontext(parts))
        recorded.clear()
        yield Cloud(parts, app, topics, jobs, issuer, recorded)


def browser_at(cloud: Cloud, world: World) -> tuple[Browser, str]:
    """Somebody who is signed in, and the address of their draft's documents."""
    person = world.person("maren@example.org")
    browser = Browser(cloud.app)
    browser.base_url = PUBLIC_URL  # type: ignore[assignment]
    browser.headers["Origin"] = PUBLIC_URL
    browser.__enter__()
    browser.sign_in("maren@example.org")
    return browser, f"/courses/{world.draft(person)}/sources"


def test_a_document_is_followed_from_the_browser_into_its_job(cloud: Cloud, world: World) -> None:
    browser, address = browser_at(cloud, world)
    try:
        token = browser.token()
        cloud.topics.taken.clear()
        cloud.jobs.executions.clear()
        cloud.recorded.clear()

        file = {"file": ("birds.md", DOCUMENT, "text/markdown")}
        answer = browser.post(address, data={"csrf": token}, files=file, headers={"traceparent": PERSON})
        assert answer.status_code in (200, 303), answer.text
        ((_, message),) = cloud.topics.taken
        assert int(message.attributes["traceparent"].split("-")[1], 16) == COURSE_TRACE

        envelope = {"data": base64.b64encode(message.data).decode(), "attributes": dict(message.attributes)}
        headers = cloud.issuer.headers() | {"traceparent": CLOUDS_OWN}
        assert browser.post("/internal/push", json={"message": envelope}, headers=headers).status_code == 204
        assert [lane for _, lane, _ in cloud.jobs.executions] == ["author"]
    finally:
        browser.__exit__(None, None, None)

    handlers = {kind: partial(handler, cloud.services) for kind, handler in HANDLERS.items()}
    run_lane(cloud.services.engine, "author", handlers, settings=cloud.services.settings, stop=threading.Event())
    found = cloud.recorded
    request = found.named("POST /courses/{course_id:uuid}/sources")
    push = found.named("POST /internal/push")
    job = found.named("ingest job")
    work = [found.named(name) for name in ("ring author", "gcp.pubsub publish", "start author", "gcp.run run_job")]
    assert {trace_id(span) for span in (request, *work, job)} == {COURSE_TRACE}
    assert trace_id(push) == 0x11111111111111111111111111111111
    assert attributes(job)["coursewright.job_kind"] == "ingest"
    assert attributes(job)["coursewright.attempt"] == 1
    assert attributes(job)["coursewright.epoch"] == 1
    assert attributes(request)["http.route"] == "/courses/{course_id:uuid}/sources"
    embedded = [span for span in found.spans() if span.name == "embeddings text-embedding-3-small"]
    assert embedded
    assert {trace_id(span) for span in embedded} == {COURSE_TRACE}
    assert attributes(embedded[0])["gen_ai.usage.input_tokens"] == 1


def test_statements_are_spans_of_the_job_that_runs_them_without_their_values(cloud: Cloud, world: World) -> None:
    browser, address = browser_at(cloud, world)
    try:
        file = {"file": ("birds.md", DOCUMENT, "text/markdown")}
        browser.post(address, data={"csrf": browser.token()}, files=file, headers={"traceparent": PERSON})
    finally:
        browser.__exit__(None, None, None)
    cloud.recorded.clear()
    handlers = {kind: partial(handler, cloud.services) for kind, handler in HANDLERS.items()}
    run_lane(cloud.services.engine, "author", handlers, settings=cloud.services.settings, stop=threading.Event())
    statements = [span for span in cloud.recorded.spans() if "db.statement" in attributes(span)]
    assert {str(attributes(span)["db.statement"]).split()[0] for span in statements} >= {"SELECT", "INSERT"}
    assert {trace_id(span) for span in statements} == {COURSE_TRACE}
    with cloud.services.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM chunks WHERE body LIKE :said"), {"said": f"%{CANARY}%"})
    for secret in (CANARY, "sk-canary", "maren@example.org"):
        assert secret not in cloud.recorded.text()
