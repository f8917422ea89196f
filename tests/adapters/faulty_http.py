"""A proxy for plain HTTP that harms what passes through it: the way to test clients against a failing server.

with faulty_proxy("http://127.0.0.1:4443") as proxy:
    proxy.script = [status(503), CUT]       # the first two requests; every later one passes unharmed
    proxy.always = HANG                     # or: what every request gets that the script does not name
    proxy.only = "/upload/"                 # faults touch only requests whose target contains this
    ... proxy.url ...
    proxy.seen[-1].method, .target, .headers, .fault
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Fault:
    """What happens to one request. `how`: pass, status (the server is not asked), lost (the server is asked and answers
    the fault), reset, hang, cut (reset in the middle of the body), short (fewer bytes, consistently), drip, harm (other
    bytes of the same number).
    """

    how: str
    status: int = 0

    def __str__(self) -> str:
        return f"{self.how} {self.status or ''}".strip()


def status(code: int) -> Fault:
    """An answer with this status, without asking the server."""
    return Fault("status", code)


def lost(code: int) -> Fault:
    """The server does what it is asked, and then this status is answered: the answer was lost on its way."""
    return Fault("lost", code)


PASS, RESET, HANG, CUT, SHORT = Fault("pass"), Fault("reset"), Fault("hang"), Fault("cut"), Fault("short")
DRIP, HARM = Fault("drip"), Fault("harm")


@dataclass(frozen=True)
class Request:
    """A request as the proxy saw it."""

    method: str
    target: str
    headers: Mapping[str, str]
    fault: Fault


@dataclass
class FaultyProxy:
    """A running proxy; change its script between requests as you like."""

    upstream: str
    url: str = ""
    script: list[Fault] = field(default_factory=list)
    always: Fault = PASS
    only: str = ""
    seen: list[Request] = field(default_factory=list)
    drip_seconds: float = 0.02

    def fault(self, method: str, target: str, headers: Mapping[str, str]) -> Fault:
        fault = PASS
        if self.only in target:
            fault = self.script.pop(0) if self.script else self.always
        self.seen.append(Request(method, target, headers, fault))
        return fault

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: request after request, until either side has enough."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError, ValueError):
            while await self._exchange(reader, writer):
                pass
        with contextlib.suppress(OSError):
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first, headers = await _head(reader)
        body = await _body(reader, headers)
        method, target, _ = first.split(" ", 2)
        fault = self.fault(method, target, headers)
        if fault.how == "hang":
            await asyncio.sleep(3600)
        if fault.how == "reset":
            return _reset(writer)
        if fault.how == "status":
            return await _say(writer, fault.status)
        answer = await self._ask(method, target, headers, body)
        if fault.how == "lost":
            return await _say(writer, fault.status)
        return await self._harmed(fault, writer, *answer)

    async def _ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[str, dict[str, str], bytes]:
        """The server's answer, over a connection of its own."""
        where = urlsplit(self.upstream)
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        try:
            kept = {name: value for name, value in headers.items() if name not in ("connection", "transfer-encoding")}
            # Host stays what the client said: resumable sessions are answered with addresses made of it.
            lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in kept.items())]
            lines += ["connection: close", *([] if "content-length" in kept else [f"content-length: {len(body)}"])]
            writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
            await writer.drain()
            first, answered = await _head(reader)
            empty = method == "HEAD" or first.split(" ")[1] in ("204", "304")
            return first, answered, b"" if empty else await _body(reader, answered, to_end=True)
        finally:
            writer.close()

    async def _harmed(
        self, fault: Fault, writer: asyncio.StreamWriter, first: str, headers: dict[str, str], body: bytes
    ) -> bool:
        for name in ("transfer-encoding", "connection"):
            headers.pop(name, None)
        if fault.how == "short":
            body = body[: len(body) // 2]
        if fault.how == "harm":
            body = bytes(byte ^ 1 for byte in body)
        headers["content-length"] = str(len(body))
        if location := headers.get("location"):
            headers["location"] = location.replace(self.upstream, self.url)
        head = "\r\n".join([first, *(f"{name}: {value}" for name, value in headers.items()), "", ""])
        writer.write(head.encode("latin-1"))
        if fault.how == "cut":
            writer.write(body[: len(body) // 2])
            await writer.drain()
            await asyncio.sleep(0.05)  # a reset overtakes what was not read yet
            return _reset(writer)
        step = 1 if fault.how == "drip" else max(1, len(body))
        for at in range(0, len(body), step):
            writer.write(body[at : at + step])
            await writer.drain()
            if fault.how == "drip":
                await asyncio.sleep(self.drip_seconds)
        return True


async def _head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines[1:] if line)
    return lines[0], {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str], to_end: bool = False) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        parts = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readline()
        await reader.readline()
        return b"".join(parts)
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read() if to_end else b""


def _reset(writer: asyncio.StreamWriter) -> bool:
    """Break the connection off, as a crashed server or a firewall does; the client sees a reset, not an end."""
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


async def _say(writer: asyncio.StreamWriter, code: int) -> bool:
    body = b'{"error": {"code": %d, "message": "as the test wants it"}}' % code
    head = f"HTTP/1.1 {code} Fault\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return True


@contextmanager
def faulty_proxy(upstream: str) -> Iterator[FaultyProxy]:
    """A proxy in front of `upstream` (http://host:port), on a thread of its own."""
    proxy = FaultyProxy(upstream.rstrip("/"))
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()

    async def run() -> None:
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=1 << 20)
        proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    try:
        assert ready.wait(10), "the proxy did not start"
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
