"""Where a job's files lie in the object store: its input, its chunks, and their results.

A file is there whole or not at all. The collector of model files looks at another prefix.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader, BufferedWriter, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol
from uuid import uuid4

import obstore
from obstore.store import ObjectStore, from_url

from modelport_control_api.artifacts.store import local_folder
from modelport_control_api.disk import NO_RESERVE, DiskReserve

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from obstore import ReadableFile

PREFIX = "batch"
_HALF = ".input-"
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class StoredJob:
    """`changed_at`: when its youngest file was written."""

    job_id: str
    changed_at: datetime


class BatchFiles(Protocol):
    """What is marked blocking is for threads alone. A file that is missing: `FileNotFoundError`."""

    def has_room(self) -> bool:
        """Whether results may be written: else `OSError` would say that the disk is full."""
        ...

    async def take_input(self, job_id: str, path: Path) -> None:
        """Store the finished local file `path` and remove it from where it was."""
        ...

    async def write_input(self, job_id: str, pieces: AsyncIterator[bytes]) -> int:
        """Store what `pieces` give, whole or not at all; give its size in bytes."""
        ...

    async def copy_input(self, origin: str, job_id: str) -> None:
        """Give a job the input of another."""
        ...

    def open_input(self, job_id: str) -> BinaryIO:
        """Open it for reading, seekable. Blocks, as its reads do."""
        ...

    def put_input(self, job_id: str, path: Path) -> None:
        """As `take_input`. Blocks."""
        ...

    def put_chunk(self, job_id: str, number: int, data: bytes) -> None:
        """Blocks."""
        ...

    async def read_chunk(self, job_id: str, number: int) -> bytes: ...

    async def put_result(self, job_id: str, number: int, data: bytes) -> None: ...

    async def read_result(self, job_id: str, number: int) -> bytes: ...

    async def remove_result(self, job_id: str, number: int) -> None:
        """No error if there is none."""
        ...

    async def remove(self, job_id: str) -> None:
        """Remove all files of a job; no error if there are none."""
        ...

    def jobs(self) -> AsyncIterator[StoredJob]:
        """Every job that has files."""
        ...


def open_batch_files(artifacts_url: str, reserve_bytes: int | None = None) -> BatchFiles:
    """Beside the model files: a `file://` URL or a path, or whatever obstore knows (`s3://bucket/prefix`).

    reserve_bytes: what stays free of a local folder's disk.
    """
    folder = local_folder(artifacts_url)
    if folder is not None:
        return LocalBatchFiles(folder, DiskReserve(reserve_bytes, (folder,)))
    return RemoteBatchFiles(from_url(artifacts_url))


class LocalBatchFiles:
    """In a folder. A file outlives a power cut before the database records it."""

    def __init__(self, root: Path, reserve: DiskReserve = NO_RESERVE) -> None:
        self._root = root / PREFIX
        self._reserve = reserve

    def has_room(self) -> bool:
        return self._reserve.has_room()

    async def take_input(self, job_id: str, path: Path) -> None:
        await asyncio.to_thread(self.put_input, job_id, path)

    def put_input(self, job_id: str, path: Path) -> None:
        target = self._input(job_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        _sync_folder(target.parent)

    async def write_input(self, job_id: str, pieces: AsyncIterator[bytes]) -> int:
        target = self._input(job_id)
        half = target.with_name(f"{_HALF}{uuid4().hex}")
        # What a killed worker left goes now; one that has lost its lease finds its own gone.
        await asyncio.to_thread(_make_empty_of_halves, target.parent)
        try:
            with await asyncio.to_thread(half.open, "wb") as file:
                async for piece in pieces:
                    self._reserve.require(len(piece))
                    await asyncio.to_thread(file.write, piece)
                await asyncio.to_thread(_sync_file, file)
                size = file.tell()
            await asyncio.to_thread(self.put_input, job_id, half)
        finally:
            half.unlink(missing_ok=True)
        return size

    async def copy_input(self, origin: str, job_id: str) -> None:
        await asyncio.to_thread(self._link_input, origin, job_id)

    def _link_input(self, origin: str, job_id: str) -> None:
        target = self._input(job_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Nobody changes an input, so that two names for it are as good as two of it.
            os.link(self._input(origin), target)
        except FileNotFoundError:
            target.parent.rmdir()
            raise
        _sync_folder(target.parent)

    def open_input(self, job_id: str) -> BinaryIO:
        return self._input(job_id).open("rb")

    def put_chunk(self, job_id: str, number: int, data: bytes) -> None:
        self._reserve.require(len(data))
        _write_whole(self._path(job_id, "chunks", number), data)

    async def read_chunk(self, job_id: str, number: int) -> bytes:
        return await asyncio.to_thread(self._path(job_id, "chunks", number).read_bytes)

    async def put_result(self, job_id: str, number: int, data: bytes) -> None:
        self._reserve.require(len(data))
        await asyncio.to_thread(_write_whole, self._path(job_id, "results", number), data)

    async def read_result(self, job_id: str, number: int) -> bytes:
        return await asyncio.to_thread(self._path(job_id, "results", number).read_bytes)

    async def remove_result(self, job_id: str, number: int) -> None:
        path = self._path(job_id, "results", number)
        await asyncio.to_thread(path.unlink, missing_ok=True)

    async def remove(self, job_id: str) -> None:
        await asyncio.to_thread(shutil.rmtree, self._root / job_id, ignore_errors=True)

    async def jobs(self) -> AsyncIterator[StoredJob]:
        for found in await asyncio.to_thread(self._stored):
            yield found

    def _stored(self) -> list[StoredJob]:
        folders = sorted(self._root.iterdir()) if self._root.is_dir() else []
        return [StoredJob(folder.name, _changed_at(folder)) for folder in folders]

    def _input(self, job_id: str) -> Path:
        return self._root / job_id / "input"

    def _path(self, job_id: str, kind: str, number: int) -> Path:
        return self._root / job_id / kind / _name(number)


class RemoteBatchFiles:
    """In a bucket, where a file appears only when it is whole."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def has_room(self) -> bool:
        return True

    async def take_input(self, job_id: str, path: Path) -> None:
        await obstore.put_async(self._store, _key(job_id, "input"), path)
        await asyncio.to_thread(path.unlink)

    def put_input(self, job_id: str, path: Path) -> None:
        obstore.put(self._store, _key(job_id, "input"), path)
        path.unlink()

    async def write_input(self, job_id: str, pieces: AsyncIterator[bytes]) -> int:
        size = 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size
            async for piece in pieces:
                size += len(piece)
                yield piece

        await obstore.put_async(self._store, _key(job_id, "input"), counted(), use_multipart=True)
        return size

    async def copy_input(self, origin: str, job_id: str) -> None:
        await obstore.copy_async(self._store, _key(origin, "input"), _key(job_id, "input"))

    def open_input(self, job_id: str) -> BinaryIO:
        reader = obstore.open_reader(self._store, _key(job_id, "input"), buffer_size=_READ_BYTES)
        return BufferedReader(_Stored(reader), _READ_BYTES)

    def put_chunk(self, job_id: str, number: int, data: bytes) -> None:
        obstore.put(self._store, _key(job_id, "chunks", _name(number)), data)

    async def read_chunk(self, job_id: str, number: int) -> bytes:
        return await self._read(_key(job_id, "chunks", _name(number)))

    async def put_result(self, job_id: str, number: int, data: bytes) -> None:
        await obstore.put_async(self._store, _key(job_id, "results", _name(number)), data)

    async def read_result(self, job_id: str, number: int) -> bytes:
        return await self._read(_key(job_id, "results", _name(number)))

    async def remove_result(self, job_id: str, number: int) -> None:
        with suppress(FileNotFoundError):
            await obstore.delete_async(self._store, _key(job_id, "results", _name(number)))

    async def remove(self, job_id: str) -> None:
        async for page in obstore.list(self._store, prefix=_key(job_id)):
            await obstore.delete_async(self._store, [meta["path"] for meta in page])

    async def jobs(self) -> AsyncIterator[StoredJob]:
        changed: dict[str, datetime] = {}
        async for page in obstore.list(self._store, prefix=PREFIX):
            for meta in page:
                job_id = meta["path"].split("/")[1]
                changed[job_id] = max(meta["last_modified"], changed.get(job_id, meta["last_modified"]))
        for job_id, changed_at in sorted(changed.items()):
            yield StoredJob(job_id, changed_at)

    async def _read(self, key: str) -> bytes:
        return bytes(await (await obstore.get_async(self._store, key)).bytes_async())


class _Stored(RawIOBase):
    """What obstore reads as a file of Python's own, which the readers of formats take it for."""

    def __init__(self, reader: "ReadableFile") -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        data = memoryview(self._reader.read(len(view)))
        view[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        return self._reader.tell()

    def close(self) -> None:
        if not self.closed:
            self._reader.close()
        super().close()


def _key(*parts: str) -> str:
    return "/".join([PREFIX, *parts])


def _name(number: int) -> str:
    return f"{number:06d}"


def _write_whole(path: Path, data: bytes) -> None:
    # A name of its own: two workers may write the same chunk after a lease ran out.
    unfinished = path.with_name(f".{path.name}-{uuid4().hex}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with unfinished.open("wb") as file:
            file.write(data)
            _sync_file(file)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _make_empty_of_halves(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for half in folder.glob(f"{_HALF}*"):
        half.unlink(missing_ok=True)


def _sync_file(file: BufferedWriter) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _changed_at(folder: Path) -> datetime:
    # A file that comes changes the folder that it comes into.
    times = [folder.stat().st_mtime, *(each.stat().st_mtime for each in folder.iterdir() if each.is_dir())]
    return datetime.fromtimestamp(max(times), UTC)
