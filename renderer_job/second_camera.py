"""A second process that encodes beside this one, where there are two processors. It ends when its parent does."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection

from renderer_job import segments
from renderer_job.frames import Frame
from renderer_job.motion import Projector
from service.errors import BadInput, Broken, CoursewrightError

Work = Sequence[tuple[str, Sequence[Frame]]]
# Neighbours share pictures, so they go to one process; two batches are under way, so that it never waits.
BATCH, AHEAD = 3, 2
DIED = "The second encoder process ended early. Give the renderer more memory and try again."


def with_second_camera(work: Mapping[str, Sequence[Frame]]) -> Iterator[tuple[str, bytes]]:
    """Encode every segment, some here and some in a child process; gives (key, packed segment) as they are ready.

    Raises:
        BadInput: a text fits nowhere.
        Broken: the child died.
    """
    items = list(work.items())
    batches: deque[Work] = deque(items[i : i + BATCH] for i in range(0, len(items), BATCH))
    camera, projector = _SecondCamera(), Projector()
    try:
        camera.top_up(batches)
        while batches:
            for key, frames in batches.popleft():
                yield key, segments.encode(frames, projector).pack()
                yield from camera.finished(batches)
        yield from camera.finished(batches, wait=True)
    finally:
        camera.close()


class _SecondCamera:
    """The parent's view of the child: batches out, finished segments in."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._child = context.Process(target=_serve, args=(there,), name="second-camera")
        self._child.start()
        there.close()
        self._awaited = 0

    def top_up(self, batches: deque[Work]) -> None:
        """Give it work from the far end, so that it never waits."""
        while batches and self._awaited < AHEAD:
            self._send(batches.pop())

    def finished(self, batches: deque[Work], wait: bool = False) -> Iterator[tuple[str, bytes]]:
        """What it has finished by now, or everything that it was given if `wait`."""
        while self._awaited and (wait or self._pipe.poll()):
            done = self._receive()
            if done:
                yield done
            else:
                self._awaited -= 1
                self.top_up(batches)

    def close(self) -> None:
        self._pipe.close()
        self._child.terminate()
        self._child.join()

    def _send(self, batch: Work) -> None:
        try:
            self._pipe.send(batch)
        except OSError as error:
            raise Broken(DIED) from error
        self._awaited += 1

    def _receive(self) -> tuple[str, bytes] | None:
        """A finished segment; None when a batch is over."""
        try:
            got: tuple[str, bytes] | CoursewrightError | None = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise Broken(DIED) from error
        if isinstance(got, CoursewrightError):
            raise got
        return got


def _serve(parent: Connection) -> None:
    """The child's life: batches in, segments out, until the parent closes its end or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    projector = Projector()
    try:
        while True:
            for key, frames in parent.recv():
                parent.send((key, segments.encode(frames, projector).pack()))
            parent.send(None)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except (BadInput, Broken) as error:
        parent.send(type(error)(str(error)))
