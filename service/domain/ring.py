"""The message on the doorbell's topic: a lane should look at the job table. Written and read with this one model."""

from __future__ import annotations

import uuid
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Ring(BaseModel):
    """Version 1. It says where to look and nothing of what is there: the job table is the truth.

    The field names are what stands in the outbox and on the topic. A reader ignores fields that it does not know, so
    that a newer site may ring an older one during a release.
    """

    model_config = ConfigDict(frozen=True)

    v: Literal[1] = 1
    event_id: uuid.UUID
    lane: Literal["author", "render"]
    run_id: uuid.UUID
