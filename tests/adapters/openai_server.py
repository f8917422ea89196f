"""An OpenAI-compatible server on this machine that fails on request: the way to test callers over real HTTP.

    with scripted_openai() as server:
        server.script = [THROTTLED, RESET]      # the first two requests; every later one is answered
        server.always = HANG                    # or: what every request gets that the script does not name
        ...
        assert server.calls("/v1/embeddings") == 3

Answers by path are in `server.answers`; add one for an endpoint that is not here yet.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import struct
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], tuple[str, bytes]]
PCM = array("h", [1200, -1200] * 24_000).tobytes()


@dataclass(frozen=True)
class Mode:
    """How one request is treated. Without `status` the answer is the true one, harmed as `how` says."""

    name: str
    status: int = 200
    how: str = ""
    error: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def refused(status: int, code: str = "", **headers: str) -> Mode:
    """A status with the error body that OpenAI sends."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = {"message": "no", "type": code or "error", "code": code or None}
    return Mode(f"{status} {code}".strip(), status, error=error, headers=named)


OK = Mode("ok")
THROTTLED = refused(429, "rate_limit_exceeded")
NO_QUOTA = refused(429, "insufficient_quota")
SERVER_ERRORS = (refused(500), refused(502), refused(503), refused(529))
REFUSALS = (refused(400), refused(401), refused(403), refused(404), refused(422))
HANG, HANG_IN_BODY, DRIP = Mode("hang", how="hang"), Mode("hang in body", how="half"), Mode("drip", how="drip")
RESET, RESET_IN_BODY = Mode("reset", how="reset"), Mode("reset in body", how="cut")
TRUNCATED, GARBAGE = Mode("truncated", how="truncated"), Mode("garbage", how="garbage")
EMPTY, ANOTHER_SHAPE = Mode("empty", how="empty"), Mode("another shape", how="shape")
PASSING = (
    *SERVER_ERRORS, HANG, HANG_IN_BODY, DRIP, RESET, RESET_IN_BODY, TRUNCATED, GARBAGE, EMPTY, ANOTHER_SHAPE,
)  # fmt: skip


def vector(text: str) -> list[float]:
    """What the server takes for the meaning of a text."""
    return [byte / 255 for byte in hashlib.sha256(text.encode()).digest()[:8]]


def _embeddings(body: dict[str, Any]) -> tuple[str, bytes]:
    rows = [{"object": "embedding", "index": n, "embedding": vector(t)} for n, t in enumerate(body["input"])][::-1]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    answer = {"object": "list", "model": body["model"], "data": rows, "usage": usage}
    return "application/json", json.dumps(answer).encode()


@dataclass
class ScriptedOpenAI:
    """The server's address, what it was asked, and what it is to do."""

    url: str = ""
    script: list[Mode] = field(default_factory=list)
    always: Mode = OK
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)

    def calls(self, path: str = "") -> int:
        """How many requests came, to this path or to all."""
        return sum(1 for asked, _ in self.asked if asked.endswith(path))

    def bodies(self, path: str = "") -> list[dict[str, Any]]:
        """What was asked, in order."""
        return [body for asked, body in self.asked if asked.endswith(path)]

    def next_mode(self, path: str, body: dict[str, Any], key: str) -> Mode:
        with self._turn:
            self.asked.append((path, body))
            self.keys.append(key)
            mode = self.script.pop(0) if self.script else self.always
            self.modes.append(mode.name)
            return mode

    def wait(self, seconds: float) -> bool:
        """Wait as a server that hangs does; True when the test is over."""
        return self._ended.wait(seconds)

    def end(self) -> None:
        self._ended.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "scripted"
    fake: ScriptedOpenAI

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        mode = self.fake.next_mode(self.path, body, self.headers.get("authorization", ""))
        if mode.how in ("hang", "reset"):
            self._stop(mode.how)
        elif mode.status != 200:
            self._send(mode, "application/json", json.dumps({"error": mode.error}).encode())
        else:
            kind, answer = self.fake.answers[self.path](body)
            self._send(mode, *_harmed(mode.how, kind, answer))

    def _send(self, mode: Mode, kind: str, body: bytes) -> None:
        self.send_response(mode.status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **mode.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if mode.how == "drip":
            self._drip(body)
            return
        self.wfile.write(body[: len(body) // 2] if mode.how in ("half", "cut", "truncated") else body)
        if mode.how in ("half", "cut"):
            self._stop("hang" if mode.how == "half" else "reset")
        elif mode.how == "truncated":
            self.close_connection = True

    def _drip(self, body: bytes) -> None:
        """One byte now and then, for as long as somebody listens: no wait between two is long."""
        with contextlib.suppress(OSError):
            for at in range(len(body)):
                self.wfile.write(body[at : at + 1])
                self.wfile.flush()
                if self.fake.wait(0.05):
                    break
        self.close_connection = True

    def _stop(self, how: str) -> None:
        if how == "hang":
            self.fake.wait(60)
        else:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        self.close_connection = True

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # the other side, or we ourselves, broke the connection
            super().finish()

    def log_message(self, *_: object) -> None:
        """Tests stay quiet."""


def _harmed(how: str, kind: str, body: bytes) -> tuple[str, bytes]:
    if how == "garbage":
        return "text/html", b"<html>502 Bad Gateway</html>"
    if how == "shape":
        return "application/json", b'{"data": [{"index": "x"}], "choices": 7}'
    return kind, b"" if how == "empty" else body


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what the tests are about."""


@contextmanager
def scripted_openai() -> Iterator[ScriptedOpenAI]:
    """A running server; `url` ends with /v1."""
    fake = ScriptedOpenAI()
    fake.answers = {"/v1/embeddings": _embeddings, "/v1/audio/speech": lambda _: ("audio/pcm", PCM)}
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": fake}))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield fake
    finally:
        fake.end()
        server.shutdown()
        server.server_close()
        thread.join(5)
