"""Builds the site: routes, the layers around them, and the lifespan that opens the services and starts the lanes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager

from anyio import to_thread
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse

from service.pipeline.asking import AskingDesk
from service.ports import Services
from service.settings import Settings
from service.web import (
    account,
    asking,
    brief,
    changes,
    courses,
    editing,
    evidence,
    files,
    front,
    generating,
    health,
    internal,
    lessons,
    money,
    outline,
    own_outline,
    quality,
    quizzes,
    revisions,
    sources,
)
from service.web.auth import open_sealer
from service.web.body_limit import BodyLimit
from service.web.callers import Callers
from service.web.failures import add_failure_handlers
from service.web.guard import Guard, check_token
from service.web.headers import SecurityHeaders
from service.web.site import Site, media_origin, open_templates
from service.web.tracing import trace_requests

OpenServices = Callable[[Settings], AbstractContextManager[Services]]

PAGES = (
    health,
    internal,
    files,
    front,
    account,
    courses,
    asking,
    brief,
    sources,
    outline,
    own_outline,
    editing,
    generating,
    money,
    lessons,
    changes,
    revisions,
    quality,
    quizzes,
    evidence,
)


# A call that holds a connection must always find a thread to go on in, or all threads wait for its connection. So there
# is one for each call that an instance may have at once, which infra bounds; an idle one ends by itself.
THREADS = 250


def create_app(settings: Settings, open_services: OpenServices | None = None) -> FastAPI:
    """The site for these settings. `open_services` opens what it works with; the wiring's, unless given.

    The lifespan opens the services, starts the workers that stay, and closes everything when the site ends.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        with (open_services or _wired)(settings) as services:
            app.state.site = Site(
                settings,
                services,
                open_sealer(settings),
                open_templates(settings),
                media_origin(settings),
                Callers(settings),
                AskingDesk(services),
            )
            if services.launcher.standing:
                # Elsewhere a ring or the sweep starts what has work; an instance that starts is no reason to.
                services.launcher.launch("author")
                services.launcher.launch("render")
            yield

    app = FastAPI(
        title="Coursewright",
        lifespan=lifespan,
        openapi_url=None,
        default_response_class=HTMLResponse,
        dependencies=[Depends(check_token)],
        redirect_slashes=False,
    )
    add_failure_handlers(app)
    # The last one added stands outermost: headers, then the guard, then the limit on bodies.
    app.add_middleware(BodyLimit)
    app.add_middleware(Guard)
    app.add_middleware(SecurityHeaders, production=settings.production, media_origin=media_origin(settings))
    for module in PAGES:
        app.include_router(module.router)
    trace_requests(app, settings)
    return app


def _wired(settings: Settings) -> AbstractContextManager[Services]:
    from service.wiring import open_services

    return open_services(settings)
