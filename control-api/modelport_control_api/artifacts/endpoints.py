"""Model files for init containers, on the internal port: the digest is the capability."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import StreamingResponse

from modelport_control_api.artifacts.store import ArtifactStore
from modelport_control_api.http.context import provide

router = APIRouter(prefix="/internal/v1/artifacts")


@router.get("/{sha256}")
async def read_artifact(
    sha256: str, store: Annotated[ArtifactStore, Depends(provide(ArtifactStore))]
) -> StreamingResponse:
    """The bytes of one model file."""
    size, stream = await store.open_stream(sha256)
    headers = {"Content-Length": str(size), "ETag": f'"{sha256}"'}
    return StreamingResponse(stream, media_type="application/octet-stream", headers=headers)
