"""A Cloud Run Admin API on this machine: real HTTP for the real client library, with the ways in which it may fail.

It keeps what it accepted, which is not the same as what it said it accepted: that is the point of most of its modes.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Mode = Literal["ok", "error after accept", "hang after accept", "garbage after accept", "twice", "429", "403", "404"]
REFUSALS: dict[Mode, tuple[int, str, str]] = {
    "429": (429, "RESOURCE_EXHAUSTED", "Quota exceeded for run.googleapis.com"),
    "403": (403, "PERMISSION_DENIED", "Permission 'run.jobs.runWithOverrides' denied"),
    "404": (404, "NOT_FOUND", "Resource 'author' of kind 'JOB' was not found"),
}
JOB = re.compile(r"/v2/(projects/[^/]+/locations/[^/]+/jobs/([^/:]+)):(\w+)")


@dataclass
class CloudRun:
    """What the server does next, and what it has done: every accepted start with its lane and number of tasks."""

    mode: Mode = "ok"
    hang_seconds: float = 3.0
    permissions: tuple[str, ...] = ("run.jobs.run", "run.jobs.runWithOverrides")
    calls: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    executions: list[tuple[str, str, int]] = field(default_factory=list)
    endpoint: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, job: str, lane: str, tasks: int) -> dict[str, Any]:
        """Start an execution and give the operation that describes it."""
        with self.lock:
            name = f"{job}/executions/{lane}-{len(self.executions):05d}"
            self.executions.append((name, lane, tasks))
        kind = "type.googleapis.com/google.cloud.run.v2.Execution"
        return {
            "name": f"{job.rpartition('/jobs/')[0]}/operations/{lane}",
            "metadata": {"@type": kind, "name": name, "job": lane, "taskCount": tasks},
            "done": False,
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: CloudRun

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        found = JOB.match(self.path)
        assert found, self.path
        job, lane, verb = found.groups()
        with self.cloud.lock:
            self.cloud.calls.append(f"{lane}:{verb}")
            self.cloud.bodies.append(body)
        if self.cloud.mode in REFUSALS:
            code, status, message = REFUSALS[self.cloud.mode]
            self._answer(code, {"error": {"code": code, "status": status, "message": message}})
        elif verb == "testIamPermissions":
            self._answer(200, {"permissions": [one for one in body["permissions"] if one in self.cloud.permissions]})
        else:
            self._run(job, lane, body["overrides"]["taskCount"])

    def _run(self, job: str, lane: str, tasks: int) -> None:
        operation = self.cloud.accept(job, lane, tasks)
        match self.cloud.mode:
            case "error after accept":
                self._answer(500, {"error": {"code": 500, "status": "INTERNAL", "message": "Internal error"}})
            case "hang after accept":
                time.sleep(self.cloud.hang_seconds)
                self.close_connection = True
            case "garbage after accept":
                self._send(200, b"<html>an error page of somebody in between</html>")
            case "twice":
                self.cloud.accept(job, lane, tasks)
                self._answer(200, operation)
            case _:
                self._answer(200, operation)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Nothing: the tests look at what was called."""


@contextmanager
def serve_cloud_run() -> Iterator[CloudRun]:
    """The server, for the length of the block; `endpoint` is its address."""
    cloud = CloudRun()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"cloud": cloud}))
    server.daemon_threads = True
    cloud.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
