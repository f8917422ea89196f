"""What the cloud calls: rings of the doorbell, the minute's sweep, and what Cloud Billing says was spent.

The guard has verified the caller before anything here runs. A message that nobody can understand is acknowledged and
counted: refused, it would come again ten times and then lie among the dead letters. A failure of ours is a 5xx, so that
it comes again.
"""

from __future__ import annotations

import base64
import logging

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ValidationError

from service.db import money
from service.db.engine import transaction
from service.db.tallies import count_one
from service.domain.money import BudgetAlertMessage
from service.domain.ring import Ring
from service.errors import BadInput
from service.pipeline.starting import start_lane
from service.pipeline.sweep import sweep as sweep_once
from service.ports import Services
from service.traces import work_span
from service.web.deps import ServicesDep

log = logging.getLogger(__name__)
router = APIRouter()

# A ring is some 100 bytes and a budget's message some 500.
LONGEST_BYTES = 64_000
NOT_A_RING, NOT_A_BUDGET = "rings not understood", "budget messages not understood"


class Message(BaseModel):
    """A message as Pub/Sub pushes it."""

    data: str = ""
    attributes: dict[str, str] = {}

    def carried(self) -> bytes:
        """What it carries, decoded. Raises ValueError when that cannot be."""
        return base64.b64decode(self.data, validate=True)


class Envelope(BaseModel):
    """The body of a push; whose subscription and the how-manieth delivery it is does not matter."""

    message: Message


@router.post("/internal/push")
async def push(request: Request, services: ServicesDep) -> Response:
    """A ring: start its lane when it has work and is not being started. 204 when that is done or was not needed."""
    body = await _body(request)
    await to_thread.run_sync(_ring, services, body)
    return Response(status_code=204)


@router.post("/internal/budget")
async def budget(request: Request, services: ServicesDep) -> Response:
    """What Cloud Billing says was spent: stop spending when it says that BUDGET_STOP_SHARE is passed."""
    body = await _body(request)
    await to_thread.run_sync(_spent, services, body)
    return Response(status_code=204)


@router.post("/internal/sweep")
def sweep(services: ServicesDep) -> Response:
    """Find what a lost ring, a dead worker or a crash left behind; answers the gauges. One sweep at a time: beside
    another one it only reads them.
    """
    return JSONResponse(sweep_once(services).fields())


async def _body(request: Request) -> bytes:
    """The body up to what is of use. The rest is read too, so that the caller hears the answer."""
    kept = b""
    async for chunk in request.stream():
        if len(kept) <= LONGEST_BYTES:
            kept += chunk
    return kept


def _ring(services: Services, body: bytes) -> None:
    try:
        message = _message(body)
        ring = Ring.model_validate_json(message.carried())
    except ValueError as error:
        _acknowledge(services, NOT_A_RING, error)
        return
    parent = message.attributes.get("traceparent", "")
    with work_span(f"start {ring.lane}", run_id=ring.run_id, trace_parent=parent):
        start_lane(services.engine, services.launcher, ring.lane, services.settings)


def _spent(services: Services, body: bytes) -> None:
    try:
        message = _message(body)
        alert = BudgetAlertMessage.model_validate_json(message.carried())
        named, share = message.attributes.get("budgetId", ""), services.settings.budget_stop_share
        if not named:
            raise ValueError("it names no budget")
        stopped = transaction(services.engine, lambda session: money.budget_alert(session, named, alert, share))
    except (ValueError, BadInput) as error:  # BadInput: a text in it cannot be kept
        _acknowledge(services, NOT_A_BUDGET, error)
        return
    if stopped:
        log.error("spending is stopped: the cloud's budget %s passed %.0f %%", named, share * 100)


def _message(body: bytes) -> Message:
    """The message of a push. Raises ValueError, as pydantic's own error is one."""
    if len(body) > LONGEST_BYTES:
        raise ValueError(f"it is longer than {LONGEST_BYTES:,} bytes")
    return Envelope.model_validate_json(body).message


def _acknowledge(services: Services, what: str, error: ValueError | BadInput) -> None:
    """Count a message that comes to nothing. Its words stay out of the log: nobody knows what they are."""
    wrong = ", ".join(one["type"] for one in error.errors()) if isinstance(error, ValidationError) else str(type(error))
    log.warning("%s: %s; acknowledged and counted", what, wrong)
    transaction(services.engine, lambda session: count_one(session, what))
