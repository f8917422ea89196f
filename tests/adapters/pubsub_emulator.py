"""Google's own Pub/Sub emulator, for tests of what only the whole of Pub/Sub can show: push, retry and dead letters.

It comes with the Google Cloud CLI (`gcloud components install pubsub-emulator`, or the package
google-cloud-cli-pubsub-emulator) and needs Java. `missing()` says what is not there; everywhere else it runs.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
USUAL_PLACES = ("/usr/lib", "/usr/share", "/usr/local", "/opt", "/opt/homebrew/share", "/usr/local/share", "~", "/snap")
START_SECONDS = 120
# A child that the kernel kills with the tests, however those end; after that it is Java under the same number.
DIES_WITH_US = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("too late")
os.execvp(sys.argv[2], sys.argv[2:])
"""


def jar() -> Path | None:
    """The emulator's newest archive on this machine."""
    gcloud = shutil.which("gcloud")
    roots = [Path(os.environ[name]) for name in ("CLOUDSDK_ROOT_DIR", "CLOUDSDK_ROOT") if os.environ.get(name)]
    roots += [Path(gcloud).resolve().parent.parent] if gcloud else []
    roots += [Path(place).expanduser() / "google-cloud-sdk" for place in USUAL_PLACES]
    roots.append(Path("/snap/google-cloud-cli/current"))
    found = [path for root in roots for path in sorted(root.glob(JAR))]
    return found[-1] if found else None


def missing() -> str:
    """Why the emulator cannot run here; empty when it can."""
    lacks = ["Java"] if shutil.which("java") is None else []
    lacks += ["Google's Pub/Sub emulator (a part of the Google Cloud CLI)"] if jar() is None else []
    return f"{' and '.join(lacks)} not found" if lacks else ""


@contextmanager
def emulator(folder: Path) -> Iterator[str]:
    """The emulator's address, until the end of the block. Call it from the main thread: it dies with its starter."""
    for attempt in range(3):  # somebody else may take the port before Java has it
        port = _free_port()
        with (folder / f"emulator-{attempt}.log").open("wb") as log:
            process = _start(port, log.fileno())
            try:
                if _answers(process, port):
                    yield f"127.0.0.1:{port}"
                    return
            finally:
                process.kill()
                process.wait(30)
    said = "\n".join(path.read_text(errors="replace") for path in folder.glob("emulator-*.log"))
    raise AssertionError(f"the emulator does not start: {said[-2000:]}")


def _start(port: int, log: int) -> subprocess.Popen[bytes]:
    java = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-jar", str(jar()), "--host=127.0.0.1", f"--port={port}"]
    command = [sys.executable, "-c", DIES_WITH_US, str(os.getpid()), *java]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as client:
            client.settimeout(1)
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Endpoint:
    """Where pushes go: keeps each body, and answers what `answer` makes of it."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []
        self.statuses: list[int] = []  # of the next answers; then 204

    def answer(self, body: bytes) -> int:  # noqa: ARG002 - others look at it
        return self.statuses.pop(0) if self.statuses else 204


@contextmanager
def listening(endpoint: Endpoint) -> Iterator[Endpoint]:
    """The endpoint on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            endpoint.bodies.append(body)
            self.send_response(endpoint.answer(body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_port}/internal/push"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
