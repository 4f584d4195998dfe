"""Model files for init containers, on the internal port: the digest is the capability."""

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from modelport_control_api.models.problems import as_problems
from modelport_control_api.models.wiring import get_models

router = APIRouter(prefix="/internal/v1/artifacts")


@router.get("/{sha256}")
async def read_artifact(sha256: str, request: Request) -> StreamingResponse:
    """The bytes of one model file."""
    with as_problems():
        size, stream = await get_models(request).store.open_stream(sha256)
    headers = {"Content-Length": str(size), "ETag": f'"{sha256}"'}
    return StreamingResponse(stream, media_type="application/octet-stream", headers=headers)
