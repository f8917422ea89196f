"""On a laptop nobody is rung: a lost ring delays, but loses, no job."""

from __future__ import annotations

import pytest

from service.adapters.doorbell import open_doorbell
from service.errors import BadInput
from service.settings import Settings


def test_ringing_on_postgresql_alone_is_harmless(settings: Settings) -> None:
    bell = open_doorbell(settings)
    bell.ring("author")
    bell.ring("render")


def test_a_doorbell_that_does_not_exist_yet_is_refused_by_name(settings: Settings) -> None:
    with pytest.raises(BadInput, match="QUEUE_URL"):
        open_doorbell(settings.model_copy(update={"queue_url": "pubsub://project/topic"}))
