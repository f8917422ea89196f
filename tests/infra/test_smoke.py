"""The smoke against a site of a few lines, whole and with one door broken: one that cannot fail releases anything."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from service.settings import ROOT

INTERNAL = ("/internal/push", "/internal/sweep", "/internal/budget")
POLICY = "default-src 'none'; style-src 'self'"


class Doors(ThreadingHTTPServer):
    """What `--doors` tries. `broken` names what answers otherwise, and with which status; `policy` is its header."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.broken: dict[str, int] = {}
        self.policy = POLICY

    def status(self, path: str, usual: int) -> int:
        return self.broken.get(path, usual)


class _Door(BaseHTTPRequestHandler):
    server: Doors

    def do_GET(self) -> None:
        usual = 200 if self.path in ("/", "/static/site.css") else 404
        self._answer(self.server.status(self.path, usual), b'<link rel="stylesheet" href="/static/site.css">')

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        own = self.headers["Origin"] == f"http://127.0.0.1:{self.server.server_port}"
        usual = 403 if self.path in INTERNAL or not own else 200
        self._answer(self.server.status(self.path, usual), b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def doors() -> Iterator[Doors]:
    with Doors() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def smoke(doors: Doors) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "smoke"), f"http://127.0.0.1:{doors.server_port}", "--doors"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_site_whose_doors_are_right_passes(doors: Doors) -> None:
    done = smoke(doors)
    assert (done.returncode, done.stderr) == (0, "")
    assert "only the doors were tried" in done.stdout


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/static/site.css", 404),
        ("/nowhere", 200),
        ("/sign-in", 200),
        ("/internal/push", 204),
        ("/internal/push", 404),
        ("/internal/sweep", 200),
        ("/internal/budget", 500),
    ],
)
def test_one_wrong_door_fails_it_by_name(doors: Doors, path: str, status: int) -> None:
    doors.broken[path] = status
    done = smoke(doors)
    assert done.returncode == 1
    assert path in done.stderr
    assert str(status) in done.stderr


def test_a_site_that_is_not_ours_fails_it(doors: Doors) -> None:
    doors.policy = "default-src *"
    done = smoke(doors)
    assert done.returncode == 1
    assert "is this our site?" in done.stderr
