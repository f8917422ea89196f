"""PostgreSQL dies, hangs and is full, while a site answers and workers work: people are told, and nothing is lost."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack

import httpx2
import pg8000
import pytest

from service.adapters.storage import open_storage
from service.ports import Services
from service.settings import Settings
from service.wiring import open_services
from tests.faults.driver import FaultRun, Plan
from tests.faults.server import BreakableServer
from tests.faults.site import serving
from tests.web.conftest import HTML
from tests.web.world import PASSWORD, World

# What the site promises, and how much longer a test on a busy machine waits before it calls the promise broken.
ANSWERS_IN_SECONDS, IS_BACK_IN_SECONDS, PATIENCE = 6.0, 5.0, 3.0
PAGES = ("/", "/readyz", "/account", "/")


class Site:
    """The real site on a port of this machine, and somebody who is signed in there."""

    def __init__(self, address: str, services: Services, server: BreakableServer) -> None:
        self.services, self.server = services, server
        self.client = httpx2.Client(
            base_url=address,
            headers={"Origin": address, "Accept": HTML},
            timeout=ANSWERS_IN_SECONDS * PATIENCE,
            limits=httpx2.Limits(max_keepalive_connections=0),
        )
        self.longest = 0.0

    def sign_in(self, email: str) -> None:
        page = self.client.get("/sign-in").text
        token = page.split('name="csrf" value="')[1].split('"')[0]
        answer = self.client.post("/sign-in", data={"csrf": token, "email": email, "password": PASSWORD})
        assert answer.status_code == 303, answer.text

    def ask(self, path: str) -> int:
        """The status of a page; it may be 200 or a well-mannered 503, and nothing else."""
        began = time.monotonic()
        answer = self.client.get(path)
        self.longest = max(self.longest, time.monotonic() - began)
        assert answer.status_code in (200, 503), f"{path}: {answer.status_code}\n{answer.text}"
        assert "Traceback" not in answer.text
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
        return answer.status_code

    def ask_all(self) -> list[int]:
        """The pages at the same time, as different people would."""
        with ThreadPoolExecutor(len(PAGES)) as people:
            return list(people.map(self.ask, PAGES))

    def is_back(self) -> float:
        """Wait until every page is there again; how long it took, in seconds."""
        began = time.monotonic()
        while self.ask_all() != [200] * len(PAGES):
            assert time.monotonic() - began < IS_BACK_IN_SECONDS * PATIENCE, "the site does not come back"
            time.sleep(0.1)
        return time.monotonic() - began


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BreakableServer]:
    with BreakableServer(tmp_path_factory.mktemp("breakable")) as server:
        yield server


@pytest.fixture(scope="module")
def site(server: BreakableServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("site"),
        database_url=server.url,
        database_pool=3,
        database_overflow=0,
        jobs_url="none:",
        embeddings="none:",
        speech="silent:",
        sweep_seconds=0,
        k_service="coursewright",  # the limits of a site in the cloud
    )
    with ExitStack() as stack:
        services = stack.enter_context(open_services(settings))
        address = stack.enter_context(serving(settings, services))
        World(services.engine, open_storage(settings)).person("maren@example.org")
        site = Site(address, services, server)
        site.sign_in("maren@example.org")
        yield site


@pytest.fixture(scope="module")
def lanes(server: BreakableServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultRun]:
    """Workers with work; nothing strikes them but the database."""
    run = FaultRun(Plan(kill=0.0, pause=0.0), tmp_path_factory.mktemp("lanes"), server)
    run.begin()
    yield run
    run.close()


@contextlib.contextmanager
def killed(site: Site) -> Iterator[None]:
    site.server.restart("immediate")
    yield


@contextlib.contextmanager
def restarted(site: Site) -> Iterator[None]:
    site.server.restart("fast")
    yield


@contextlib.contextmanager
def hung(site: Site) -> Iterator[None]:
    with site.server.hung():
        yield


@contextlib.contextmanager
def full(site: Site) -> Iterator[None]:
    """Idle clients hold every connection that there is; those of the site and the workers are taken too."""
    idle: list[pg8000.Connection] = []
    path = site.services.engine.url.query["unix_sock"]
    site.services.engine.dispose()
    try:
        with contextlib.suppress(pg8000.Error):
            while len(idle) < 100:
                idle.append(pg8000.connect("app", database="postgres", unix_sock=path))
        assert len(idle) < 100
        yield
    finally:
        for connection in idle:
            connection.close()


Fault = Callable[[Site], AbstractContextManager[None]]


@pytest.mark.parametrize(("fault", "told"), [(killed, False), (restarted, False), (hung, True), (full, True)])
def test_the_site_says_that_it_does_not_answer_and_comes_back_and_the_work_goes_on(
    fault: Fault, told: bool, site: Site, lanes: FaultRun, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site.ask_all() == [200] * len(PAGES)
    site.longest = 0.0
    lanes.feed()
    lanes.keep_workers()
    time.sleep(0.5)
    began = lanes.under_way()
    with fault(site):
        statuses = site.ask_all()
        assert site.client.get("/healthz").status_code == 200
    back = site.is_back()
    lanes.seen.hangs += 1
    with capsys.disabled():
        print(f"\n{fault.__name__}: {statuses}, at most {site.longest:.1f} s an answer, back in {back:.1f} s")
    if told:
        assert 503 in statuses
    assert site.longest < ANSWERS_IN_SECONDS * PATIENCE
    assert began, "the fault struck when the work was over"
    until = time.monotonic() + 90
    while lanes.under_way():
        lanes.keep_workers()
        assert time.monotonic() < until, "the work does not go on"
        time.sleep(0.1)
    assert lanes.judge() == []
