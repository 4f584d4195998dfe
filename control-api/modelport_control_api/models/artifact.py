"""A version's model file on its way back to those who uploaded it."""

from base64 import b64encode
from collections.abc import AsyncIterator
from io import BytesIO

from modelport_formats.ensembles import is_ensemble
from modelport_formats.errors import FormatError
from modelport_formats.folders import is_compressed_tar, is_tar
from modelport_formats.frameworks.folder_files import marked_as
from modelport_formats.frameworks.jax_files import is_exported
from modelport_formats.own_code import is_archive
from modelport_formats.signatures import ZIP, Format, begins_as
from starlette.responses import StreamingResponse

from modelport_control_api.artifacts.store import ArtifactStore
from modelport_control_api.registry.records import VersionRecord

_ENDINGS = {
    Format.PICKLE: "joblib",
    Format.SKOPS: "skops",
    Format.XGBOOST_BINARY: "bin",
    Format.LIGHTGBM: "txt",
    Format.ONNX: "onnx",
    Format.CATBOOST: "cbm",
    Format.KERAS_HDF5: "h5",
    Format.JAX: "jaxexport",
}
_FIRST_NAMES = 512
_BLANK_OR_NAME = b' \t\r\n"}'


async def download(store: ArtifactStore, model_id: str, version: VersionRecord) -> StreamingResponse:
    """Return the file as an attachment, with its digest. Raises ArtifactMissing."""
    size, stream = await store.open_stream(version.sha256)
    first = await anext(stream, b"")
    digest = b64encode(bytes.fromhex(version.sha256)).decode()
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{model_id}-{version.name}.{ending_of(first)}"',
        "ETag": f'"{version.sha256}"',
        "Repr-Digest": f"sha-256=:{digest}:",
        "Cache-Control": "private, no-cache",
    }
    return StreamingResponse(_both(first, stream), media_type="application/octet-stream", headers=headers)


def ending_of(head: bytes) -> str:
    """Return how a file that begins so is usually named: nobody kept the name it had."""
    if head.startswith(ZIP):
        return _ending_of_zip(head)
    if is_tar(head):
        return "tar"
    if _is_compressed_tar(head):
        return "tar.gz"
    found = Format.JAX if is_exported(head) else begins_as(head)
    if found == Format.XGBOOST:
        # A member's name, or a blank before it, makes it JSON; UBJSON has a length there.
        return "json" if head[1:2] in _BLANK_OR_NAME else "ubj"
    return _ENDINGS[found]


def _ending_of_zip(head: bytes) -> str:
    """By its first member: PyTorch alone has folders, and begins exported programs with their weights."""
    if is_archive(head) or is_ensemble(head) or marked_as(head):
        return "zip"
    if b"metadata.json" in head[:_FIRST_NAMES]:
        return "keras"
    if b"saved_model.pb" in head:
        return "zip"
    length = int.from_bytes(head[26:28], "little")
    name = head[30 : 30 + length]
    if b"/" not in name:
        return _ENDINGS[Format.SKOPS]
    return "pt2" if b"/data/weights/" in name else "pt"


def _is_compressed_tar(head: bytes) -> bool:
    try:
        return is_compressed_tar(BytesIO(head))
    except FormatError:
        return False


async def _both(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
