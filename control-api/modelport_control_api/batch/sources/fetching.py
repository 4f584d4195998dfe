"""A job's input brought from its address, a web server or a bucket, into the job's files: whole, or
not at all.
"""

import asyncio
import errno
import ssl
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import httpcore
import obstore
import structlog
from modelport_http.client_address import Network
from modelport_http.wording import counted
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from modelport_control_api.batch.storage.files import BatchFiles
from modelport_control_api.network.addresses import Forbidden
from modelport_control_api.network.checked import UNREACHABLE, CheckedNetwork, Resolve, resolve


class InputUnavailable(Exception):
    """The message says what happened, to the user who named the input. `passes`: it is worth another try."""

    def __init__(self, message: str, *, passes: bool = False) -> None:
        super().__init__(message)
        self.passes = passes


log = structlog.get_logger(__name__)

_PIECE_BYTES = 1 << 20
_HEADERS = (("User-Agent", "Modelport-Batch/1"), ("Accept", "*/*"), ("Accept-Encoding", "identity"))
_TIMEOUTS = {"connect": 10.0, "read": 30.0, "write": 10.0, "pool": 10.0}
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


def _open_bucket(url: str) -> ObjectStore:
    return from_url(url)


@dataclass
class Reader:
    """`allowed`: networks that may be called beside the public internet. `tls`: None for the usual one.

    Buckets are opened with the credentials of the worker's own environment.
    """

    allowed: Sequence[Network] = ()
    resolve: Resolve = resolve
    tls: ssl.SSLContext | None = None
    open_bucket: Callable[[str], ObjectStore] = _open_bucket

    async def read(self, uri: str, max_bytes: int) -> AsyncGenerator[bytes, None]:
        """Close it if it is not read to its end. Raises `InputUnavailable`, also in the middle."""
        read = self._read_bucket if uri.startswith("s3://") else self._read_web
        size = 0
        async with aclosing(read(uri, max_bytes)) as pieces:
            async for piece in pieces:
                size += len(piece)
                _require_size(size, max_bytes)
                yield piece

    async def _read_web(self, uri: str, max_bytes: int) -> AsyncGenerator[bytes, None]:
        backend = CheckedNetwork(self.allowed, self.resolve)
        try:
            async with (
                httpcore.AsyncConnectionPool(ssl_context=self.tls, network_backend=backend) as pool,
                pool.stream("GET", uri, headers=_HEADERS, extensions={"timeout": _TIMEOUTS}) as response,
            ):
                _check_status(response.status)
                _require_size(_declared_length(response), max_bytes)
                async for piece in response.aiter_stream():
                    yield piece
        except Forbidden as error:
            raise InputUnavailable(str(error)) from error
        except UNREACHABLE as error:
            because = str(error)[:200] or type(error).__name__
            raise InputUnavailable(f"The connection failed: {because}.", passes=True) from error

    async def _read_bucket(self, uri: str, max_bytes: int) -> AsyncGenerator[bytes, None]:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        try:
            found = await obstore.get_async(self.open_bucket(f"s3://{bucket}"), key)
            _require_size(found.meta["size"], max_bytes)
            async for piece in found.stream(min_chunk_size=_PIECE_BYTES):
                yield bytes(piece)
        except FileNotFoundError:
            raise InputUnavailable("Nothing lies there.") from None
        except (BaseError, OSError) as error:
            # Its text shows the platform's own credentials and network.
            log.warning("batch_input_unreadable", uri=uri, error=repr(error))
            text = "The bucket does not give it to the platform; the worker's log says why."
            raise InputUnavailable(text, passes=True) from error


def _check_status(status: int) -> None:
    if status == 200:
        return
    if 300 <= status < 400:
        raise InputUnavailable(f"It answered with status {status}: redirects are not followed.")
    raise InputUnavailable(f"It answered with status {status}.", passes=status in _BUSY)


def _declared_length(response: httpcore.Response) -> int:
    headers = {name.lower(): value for name, value in response.headers}
    declared = headers.get(b"content-length", b"")
    return int(declared) if declared.isdigit() else 0


def _require_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise InputUnavailable(
            f"It is larger than {counted(max_bytes, 'byte')}, the most that this platform accepts."
        )


_PAUSES = (2.0, 10.0)
# A gigabyte at 10 Mbit/s; a server that is slower on purpose does not hold a worker for a day.
_TOTAL_SECONDS = 900.0
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


class Fetching:
    """`pauses`: seconds before each further try."""

    def __init__(
        self,
        files: BatchFiles,
        reader: Reader,
        *,
        max_bytes: int,
        pauses: Sequence[float] = _PAUSES,
        total_seconds: float = _TOTAL_SECONDS,
    ) -> None:
        self._files = files
        self._reader = reader
        self._max_bytes = max_bytes
        self._pauses = pauses
        self._total_seconds = total_seconds

    async def fetch(self, job_id: str, uri: str) -> int:
        """Return the input's size in bytes. Raises `InputUnavailable`."""
        for pause in self._pauses:
            try:
                return await self._try(job_id, uri)
            except InputUnavailable as error:
                if not error.passes:
                    raise
            await asyncio.sleep(pause)
        return await self._try(job_id, uri)

    async def _try(self, job_id: str, uri: str) -> int:
        try:
            async with (
                asyncio.timeout(self._total_seconds),
                aclosing(self._reader.read(uri, self._max_bytes)) as pieces,
            ):
                size = await self._files.write_input(job_id, pieces)
        except TimeoutError:
            within = counted(self._total_seconds, "second")
            text = f"It was not there within {within}: send it as the request's body."
            raise InputUnavailable(text) from None
        except FileNotFoundError as error:
            # The lease was lost meanwhile, and its new holder has started over.
            raise OSError("another worker fetches the input") from error
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise InputUnavailable("The platform's disk has no room for it: try again later.") from error
            raise
        if size == 0:
            raise InputUnavailable("It is empty.")
        return size
