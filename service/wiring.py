"""The one place that chooses adapters: opens every part that the settings name, closes them in reverse."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from service.adapters.database import open_engine, resolved
from service.adapters.doorbell import open_doorbell
from service.adapters.embeddings import open_embedder
from service.adapters.inference import open_inference
from service.adapters.launcher import open_launcher
from service.adapters.mail import open_mailer
from service.adapters.provider import judge
from service.adapters.speech import open_speech
from service.adapters.stills import SlideStills
from service.adapters.storage import open_storage
from service.adapters.vectors import open_vectors
from service.authors import open_author
from service.db.breaker import Breaker
from service.db.guarded import guarded_embedder, guarded_speech
from service.errors import BadInput
from service.ports import Services
from service.settings import Settings

CHAT = "openai chat"  # as operators find it in `provider_health`


@contextmanager
def open_services(settings: Settings) -> Iterator[Services]:
    """Everything that the site, the author lane and the commands use. Start it from the main thread: an embedded
    database dies with the thread that started it.

    Raises:
        BadInput: a part cannot be opened as it is configured; the message says what to change.
    """
    if not settings.production:
        _check_data_dir(settings)
    with ExitStack() as stack:
        engine = stack.enter_context(open_engine(settings))
        settings = resolved(settings, engine)
        openai_key = settings.openai_api_key.get_secret_value()
        storage = open_storage(settings)
        yield Services(
            settings=settings,
            engine=engine,
            storage=storage,
            doorbell=stack.enter_context(closing(open_doorbell(settings))),
            launcher=stack.enter_context(closing(open_launcher(settings))),
            author=open_author(
                settings.model,
                openai_api_key=settings.openai_api_key,
                openai_base_url=settings.openai_base_url,
                storage=storage,
                judge=judge,
                recorded=settings.data_dir / "calls",
                guard=Breaker(engine, CHAT).call,
            ),
            vectors=stack.enter_context(
                closing(open_vectors(settings.vectors_url, settings.vectors_api_key.get_secret_value()))
            ),
            embedder=guarded_embedder(
                open_embedder(settings.embeddings, openai_api_key=openai_key, openai_base_url=settings.openai_base_url),
                engine,
            ),
            contradiction=open_inference(settings.nli),
            speech=guarded_speech(
                stack.enter_context(
                    closing(
                        open_speech(
                            settings.speech,
                            openai_api_key=openai_key,
                            openai_base_url=settings.openai_base_url,
                            cache_dir=settings.data_dir / "speech",
                        )
                    )
                ),
                engine,
            ),
            stills=SlideStills(),
            mailer=open_mailer(settings),
        )


def _check_data_dir(settings: Settings) -> None:
    """Keys, media and speech lie there even when the database does not, and are written only when they are needed."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.data_dir):
            pass
    except OSError as error:
        raise BadInput(
            f"DATA_DIR={settings.data_dir} cannot be written: {error.strerror}. Name a folder that can: DATA_DIR=/path."
        ) from error
