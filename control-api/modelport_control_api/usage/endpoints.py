"""Usage and samples from gateways that have no Redis, on the internal port."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from modelport_http.problem import Problem
from modelport_http.wording import counted
from modelport_telemetry.usage import samples as samples_wire
from modelport_telemetry.usage import wire
from starlette.concurrency import run_in_threadpool

from modelport_control_api.http.principal import PLATFORM_ONLY
from modelport_control_api.usage import ledger
from modelport_control_api.usage.samples import dispatch
from modelport_control_api.usage.wiring import Usage

_MAX_BYTES = 8 * 1024 * 1024


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BYTES:
            raise Problem(status=413, detail=f"A report may have {counted(_MAX_BYTES, 'byte')} at most.")
    return bytes(body)


Body = Annotated[bytes, Depends(_body)]
router = APIRouter(prefix="/internal/v1", dependencies=[PLATFORM_ONLY])


@router.post("/usage", status_code=204)
async def write_usage(body: Body, services: Usage) -> Response:
    """204: the batch is in the ledger, by this call or an earlier one."""
    try:
        batch = wire.decode(body)
    except msgspec.MsgspecError as error:
        raise _unreadable("batch of usage", error) from None
    await services.transactions.write(lambda session: ledger.write(session, [batch]))
    return Response(status_code=204)


@router.post("/samples", status_code=204)
async def write_samples(body: Body, services: Usage) -> Response:
    """204: each handler has had its samples; what it could not write is counted."""
    try:
        samples = samples_wire.decode(body)
    except msgspec.MsgspecError as error:
        raise _unreadable("list of samples", error) from None
    await run_in_threadpool(dispatch, services.database, services.handlers, samples)
    return Response(status_code=204)


def _unreadable(what: str, error: msgspec.MsgspecError) -> Problem:
    return Problem(
        status=422, detail=f"This is no {what} of this release ({error}): update the control API first."
    )
