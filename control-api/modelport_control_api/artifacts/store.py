"""The store of model files: one object for each content, named by the sha256 of its bytes.

A local folder today, any S3-compatible bucket by its URL: only `put` differs, since a local file can be
renamed into place, which is atomic and copies nothing.
"""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from modelport_crds.reasons import Reason
from modelport_process.start import CannotStart
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from modelport_control_api.errors import DomainError

_PREFIX = "sha256"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_STREAM_CHUNK_BYTES = 1 << 20
# Nothing may change it, so a runtime on this machine can share the file instead of copying it.
_READ_ONLY = 0o444


class ArtifactMissing(DomainError):
    """No stored file has this sha256."""

    status = 404
    reason = Reason.ARTIFACT_NOT_FOUND

    def __init__(self, sha256: str) -> None:
        super().__init__(f"No stored file has the sha256 {sha256}.")
        self.sha256 = sha256


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """`size` is in bytes; `stored_at` is the last time that its bytes were put."""

    sha256: str
    size: int
    stored_at: datetime


class ArtifactStore:
    """Every digest is 64 lowercase hex digits; anything else is simply not there.

    `incoming` is a local folder for files that are not stored yet: uploads are written there.
    """

    def __init__(self, store: ObjectStore, incoming: Path) -> None:
        self._store = store
        self.incoming = incoming

    async def put(self, path: Path, sha256: str) -> None:
        """Store the finished local file `path`, whole or not at all, and remove it from where it was.

        Bytes that are there already are replaced by the same bytes, so that `stored_at` tells a
        collector on another machine that they are wanted again.
        """
        await obstore.put_async(self._store, key_of(sha256), path)
        await asyncio.to_thread(path.unlink)

    async def open_stream(self, sha256: str) -> tuple[int, AsyncIterator[bytes]]:
        """Return the size in bytes and the content in pieces. Raises ArtifactMissing before the first one."""
        _require_digest(sha256)
        try:
            result = await obstore.get_async(self._store, key_of(sha256))
        except FileNotFoundError:
            raise ArtifactMissing(sha256) from None
        stream = result.stream(min_chunk_size=_STREAM_CHUNK_BYTES)
        return result.meta["size"], (bytes(chunk) async for chunk in stream)

    async def exists(self, sha256: str) -> bool:
        return await self.find(sha256) is not None

    async def find(self, sha256: str) -> StoredArtifact | None:
        """Return what is stored under the digest, without its content. None: nothing, or it is malformed."""
        if not _SHA256.fullmatch(sha256):
            return None
        try:
            meta = await obstore.head_async(self._store, key_of(sha256))
        except FileNotFoundError:
            return None
        return StoredArtifact(sha256, meta["size"], meta["last_modified"])

    async def delete(self, sha256: str) -> None:
        """Remove it; no error if it is not there."""
        _require_digest(sha256)
        try:
            await obstore.delete_async(self._store, key_of(sha256))
        except FileNotFoundError:
            return

    async def list_digests(self) -> AsyncIterator[StoredArtifact]:
        """Yield every stored file, in no particular order."""
        async for page in obstore.list(self._store, prefix=_PREFIX):
            for meta in page:
                digest = meta["path"].rpartition("/")[2]
                if _SHA256.fullmatch(digest):
                    yield StoredArtifact(digest, meta["size"], meta["last_modified"])

    def clean_incoming(self, untouched_seconds: float) -> int:
        """Remove what earlier runs left of interrupted uploads; give how many. Blocking; on start only.

        A file is left alone until nobody has written to it for so long: it may be another process's.
        """
        oldest = time.time() - untouched_seconds
        leftovers = [path for path in self.incoming.iterdir() if _is_stale(path, oldest)]
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)


class LocalArtifactStore(ArtifactStore):
    def __init__(self, root: Path) -> None:
        incoming = root / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        super().__init__(LocalStore(root), incoming)
        self._root = root

    async def put(self, path: Path, sha256: str) -> None:
        """Rename it into place. The file must be in `incoming` (same filesystem) and already synced."""
        await asyncio.to_thread(_rename_durably, path, self._root / key_of(sha256))


def open_artifact_store(url: str, scratch: Path) -> ArtifactStore:
    """Open the store at `url`: a `file://` URL or a path, or whatever obstore knows (`s3://bucket/prefix`).

    `scratch` is where uploads to a remote store are collected; a local store has its own folder for them.
    Raises `CannotStart`.
    """
    folder = local_folder(url)
    try:
        if folder is not None:
            return LocalArtifactStore(folder)
        scratch.mkdir(parents=True, exist_ok=True)
        return ArtifactStore(from_url(url), scratch)
    except OSError as error:
        raise CannotStart(f"A folder for model files cannot be made: {error}.") from error
    except (BaseError, ValueError) as error:
        # It holds the address, which may hold a password; below the first line are internals.
        text = str(error).partition("\n")[0]
        raise CannotStart(
            f"MODELPORT_CONTROL_API_ARTIFACTS_URL is no address of an object store{_unless_secret(text)}: "
            "write s3://bucket/prefix, or an absolute path."
        ) from error


def _unless_secret(text: str) -> str:
    return "" if "@" in text else f" ({text})"


def local_folder(url: str) -> Path | None:
    """None: it is a bucket."""
    parts = urlsplit(url)
    return Path(url2pathname(parts.path)).resolve() if parts.scheme in {"", "file"} else None


def _rename_durably(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Touched, since a rename keeps the time of the upload's last byte and `stored_at` must be now.
    os.utime(source)
    source.chmod(_READ_ONLY)
    source.replace(target)
    # The row that names the digest is committed next: the directory entry must outlive a power cut too.
    for folder in (target.parent, target.parent.parent):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_stale(path: Path, oldest: float) -> bool:
    try:
        return path.is_file() and path.stat().st_mtime <= oldest
    except FileNotFoundError:
        return False


def key_of(sha256: str) -> str:
    """Return where the file lies in the object store, or below the local folder."""
    return f"{_PREFIX}/{sha256[:2]}/{sha256}"


def _require_digest(sha256: str) -> None:
    if not _SHA256.fullmatch(sha256):
        raise ArtifactMissing(sha256)
