"""The file of an upload on its way to the artifact store: hashed as it is written, gone unless kept."""

import asyncio
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from modelport_control_api.disk import NO_RESERVE, DiskReserve
from modelport_control_api.uploads.form import StorageFull, larger_than

# The thread hop for each write is paid once a mebibyte instead of once a network packet.
_BUFFER_BYTES = 1 << 20
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_FULL = (
    "The platform's disk has no room for the file. Nothing was kept: delete what is not needed, or try again "
    "later."
)


class Spool:
    """An async context: on leaving it the file is removed, unless the artifact store has taken it."""

    def __init__(self, folder: Path, max_bytes: int, reserve: DiskReserve) -> None:
        reserve.require()
        descriptor, name = tempfile.mkstemp(dir=folder, prefix="upload-")
        self.path = Path(name)
        self.size = 0
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._max_bytes = max_bytes
        self._reserve = reserve
        self._digest = hashlib.sha256()
        self._buffer = bytearray()

    @classmethod
    async def create(cls, folder: Path, max_bytes: int, reserve: DiskReserve = NO_RESERVE) -> Self:
        """Raises StorageFull where no more than the disk's reserve is left."""
        try:
            return await asyncio.to_thread(cls, folder, max_bytes, reserve)
        except OSError as error:
            raise _explained(error) from error

    async def write(self, data: bytes) -> None:
        """Raises UploadTooLarge before the byte that is one too many reaches the disk; StorageFull."""
        self.size += len(data)
        if self.size > self._max_bytes:
            raise larger_than(self._max_bytes)
        self._buffer += data
        if len(self._buffer) >= _BUFFER_BYTES:
            await self._flush()

    async def take(self, pieces: Iterator[bytes]) -> None:
        """Write all that the iterator gives, which blocks. Raises as `write` does, or what it raises."""
        # Never closed from here: a request that is cancelled leaves its thread in the generator.
        while piece := await asyncio.to_thread(_next, pieces):
            await self.write(piece)

    async def finish(self) -> str:
        """Write the rest so that it outlives a power cut; give the sha256 as lowercase hex."""
        await self._flush()
        try:
            await asyncio.to_thread(self._sync)
        except OSError as error:
            raise _explained(error) from error
        return self._digest.hexdigest()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not in a thread: this must also run to its end when the request's task is cancelled.
        self._file.close()
        self.path.unlink(missing_ok=True)

    async def _flush(self) -> None:
        data, self._buffer = bytes(self._buffer), bytearray()
        try:
            await asyncio.to_thread(self._write_through, data)
        except OSError as error:
            raise _explained(error) from error

    def _write_through(self, data: bytes) -> None:
        self._reserve.require(len(data))
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._digest.update(data)

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._file.close()


def _next(pieces: Iterator[bytes]) -> bytes:
    """Return the next piece that is not empty; none at the end."""
    return next(filter(None, pieces), b"")


def _explained(error: OSError) -> Exception:
    if error.errno in _NO_ROOM:
        return StorageFull(_FULL)
    return error
