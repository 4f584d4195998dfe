"""Bundles of own packages, on the internal port: a Job hands in the one of a lock, the operator asks for it.

Models' pods reach this port too. What opens the bundle of a lock is made of the internal key for that lock
alone, and no pod of a model has it.
"""

from fastapi import APIRouter, Depends, Request
from modelport_http.problem import Problem
from modelport_process import internal_key
from starlette.responses import PlainTextResponse

from modelport_control_api.http.context import RequestContext
from modelport_control_api.models.access import Models
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry import repository
from modelport_control_api.uploads.spool import Spool


async def _require_token(lock_sha256: str, request: Request, context: RequestContext) -> None:
    key = context.settings.internal_key
    token = internal_key.of_bundle(key, lock_sha256) if key else None
    if not internal_key.is_shown(token, request.headers):
        raise Problem(
            status=403,
            detail="Only the operator and its Job may call this: give operator and control API the same "
            "MODELPORT_INTERNAL_KEY.",
        )


router = APIRouter(prefix="/internal/v1/bundles", dependencies=[Depends(_require_token)])


@router.get("/{lock_sha256}")
async def find_bundle(lock_sha256: str, services: Models) -> PlainTextResponse:
    """Return the digest of the bundle that was made of a lock, as text. Raises `Problem` 404."""
    found = await _find(services, lock_sha256)
    if found is None:
        raise Problem(status=404, detail="No bundle has been made of this lock.")
    return PlainTextResponse(found)


@router.put("/{lock_sha256}")
async def hand_in_bundle(
    lock_sha256: str, request: Request, services: Models, context: RequestContext
) -> PlainTextResponse:
    """Store the body as the bundle of a lock, unless there is one, and return the digest of what is kept.

    Raises UploadTooLarge and StorageFull.
    """
    most = context.settings.bundle_max_bytes
    async with await Spool.create(services.store.incoming, most, services.reserve) as spool:
        async for piece in request.stream():
            await spool.write(piece)
        sha256 = await spool.finish()
        async with services.keeper.holding(sha256):
            # The first one stays: pods may have unpacked it already.
            if found := await _find(services, lock_sha256):
                return PlainTextResponse(found)
            await services.store.put(spool.path, sha256)
            await services.transactions.write(
                lambda session: repository.name_bundle(session, lock_sha256, sha256)
            )
    return PlainTextResponse(sha256)


async def _find(services: ModelsServices, lock_sha256: str) -> str | None:
    """Return the digest; None also where its file has been removed since."""
    found = await services.transactions.read(lambda session: repository.find_bundle(session, lock_sha256))
    return found if found and await services.store.exists(found) else None
