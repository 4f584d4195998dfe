"""The files of an ensemble's members, out of the store, as one archive."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from modelport_formats.ensembles.archive import pieces
from modelport_formats.folders import Member
from modelport_http.wording import counted

from modelport_control_api.artifacts.store import ArtifactMissing, ArtifactStore
from modelport_control_api.errors import InvalidFields
from modelport_control_api.models.ensembles.finding import FoundEnsemble, FoundMember
from modelport_control_api.models.ensembles.request import FIELD
from modelport_control_api.sniff.own_code import is_own_archive
from modelport_control_api.uploads.form import ReceivedUpload
from modelport_control_api.uploads.room import Room
from modelport_control_api.uploads.spool import Spool

MANIFEST_BYTES = 4 << 20
"""More than an archive has beside its members."""
_CHUNK = 1 << 20


@asynccontextmanager
async def composed(
    upload: ReceivedUpload, ensemble: FoundEnsemble, store: ArtifactStore, room: Room
) -> AsyncIterator[ReceivedUpload]:
    """Yield the upload with the archive as its file, which is removed at the end.

    room: for all members together, with `MANIFEST_BYTES` more. Raises InvalidFields or an UploadError.
    """
    most = room.max_bytes - MANIFEST_BYTES
    if ensemble.size > most:
        raise InvalidFields(
            (FIELD, f"has members of {counted(ensemble.size, 'byte')} together; {most:,} is the most")
        )
    async with AsyncExitStack() as held:
        files = {
            each.version.sha256: await held.enter_async_context(_brought(each, store, room))
            for each in {each.version.sha256: each for each in ensemble.members}.values()
        }
        await asyncio.to_thread(_require_one_code, ensemble, files)
        content = pieces(ensemble.manifest, lambda sha256: _member(sha256, files[sha256]))
        path, sha256, size = await held.enter_async_context(room.holding(content))
        yield replace(upload, path=path, sha256=sha256, size=size)


@asynccontextmanager
async def _brought(member: FoundMember, store: ArtifactStore, room: Room) -> AsyncIterator[Path]:
    """Yield a member's file, on this machine. Deleted meanwhile it is a version that is not there."""
    try:
        _, stream = await store.open_stream(member.version.sha256)
    except ArtifactMissing:
        raise InvalidFields((member.field, "was deleted meanwhile")) from None
    async with await Spool.create(room.folder, room.max_bytes, room.reserve) as spool:
        async for piece in stream:
            await spool.write(piece)
        await spool.finish()
        yield spool.path


def _require_one_code(ensemble: FoundEnsemble, files: dict[str, Path]) -> None:
    """Modules of one process have one name each. Raises InvalidFields."""
    with_code = [each for each in ensemble.members if is_own_archive(files[each.version.sha256])]
    if len(with_code) > 1:
        one, other = with_code[:2]
        raise InvalidFields(
            (
                other.field,
                f"has Python code of its own, as {one.label} has: their modules cannot share a process; "
                "one member may have some",
            )
        )


def _member(sha256: str, path: Path) -> Member:
    return Member(sha256, path.stat().st_size, lambda: _chunks(path))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(_CHUNK), b"")
