"""One upload from the first byte of its body to a synced local file."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from modelport_http.wording import counted
from starlette.requests import ClientDisconnect, Request

from modelport_control_api.disk import NO_RESERVE, DiskReserve
from modelport_control_api.uploads.form import (
    FILE_FIELD,
    FieldInvalid,
    Form,
    ReceivedUpload,
    UploadError,
    UploadInterrupted,
    UploadTooLarge,
    decode_text,
    larger_than,
)
from modelport_control_api.uploads.multipart import Event, MultipartEvents, PartBegan, PartData
from modelport_control_api.uploads.spool import Spool


@asynccontextmanager
async def receive_upload(
    request: Request, form: Form, folder: Path, *, idle_seconds: float, reserve: DiskReserve = NO_RESERVE
) -> AsyncIterator[ReceivedUpload]:
    """Receive the body; the file lies in `folder` until the end of the context and is removed then.

    Raises an UploadError. `idle_seconds` bounds the wait for each next piece of the body.
    """
    events = MultipartEvents(request.headers.get("content-type"))
    _refuse_declared_length(request, form)
    async with AsyncExitStack() as spools:
        spool = await spools.enter_async_context(await Spool.create(folder, form.max_file_bytes, reserve))
        extra = {
            name: await spools.enter_async_context(await Spool.create(folder, most, reserve))
            for name, most in form.extra_file_bytes.items()
        }
        receiver = _Receiver(form, spool, extra)
        async for chunk in _bounded(_chunks(request, idle_seconds), form):
            for event in events.feed(chunk):
                await receiver.take(event)
        events.finish()
        form.check_complete(receiver.seen)
        sha256 = await spool.finish()
        upload = ReceivedUpload(
            path=spool.path,
            sha256=sha256,
            size=spool.size,
            texts=receiver.texts(),
            file_name=receiver.file.file_name,
            content_type=receiver.file.content_type,
            extra_files=await _finished(extra),
            extra_names=receiver.extra_names,
        )
        if form.instead_of_file not in receiver.seen:
            upload.require_content()
        yield upload


@asynccontextmanager
async def receive_body(
    request: Request,
    folder: Path,
    *,
    max_bytes: int,
    idle_seconds: float,
    reserve: DiskReserve = NO_RESERVE,
) -> AsyncIterator[ReceivedUpload]:
    """As `receive_upload`, of a body that is the file itself."""
    form = Form({}, required=frozenset(), max_file_bytes=max_bytes)
    _refuse_declared_length(request, form)
    async with await Spool.create(folder, max_bytes, reserve) as spool:
        async for chunk in _chunks(request, idle_seconds):
            await spool.write(chunk)
        sha256 = await spool.finish()
        content_type = request.headers.get("content-type", "")
        yield ReceivedUpload(spool.path, sha256, spool.size, content_type=content_type)


async def _finished(spools: Mapping[str, Spool]) -> dict[str, Path]:
    # A form in a browser sends fields that were left empty, too.
    sent = {name: spool for name, spool in spools.items() if spool.size}
    for spool in sent.values():
        await spool.finish()
    return {name: spool.path for name, spool in sent.items()}


def _refuse_declared_length(request: Request, form: Form) -> None:
    """A body that is declared too long is refused before its first byte; one that lies is stopped later."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > form.max_body_bytes:
        raise _too_large(form)


async def _bounded(chunks: AsyncIterator[bytes], form: Form) -> AsyncIterator[bytes]:
    # The file has its own limit; this one is for what comes before, between and after the parts.
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > form.max_body_bytes:
            raise _too_large(form)
        yield chunk


def _too_large(form: Form) -> UploadError:
    return larger_than(form.max_file_bytes, "upload")


async def _chunks(request: Request, idle_seconds: float) -> AsyncIterator[bytes]:
    stream = request.stream()
    try:
        while True:
            async with asyncio.timeout(idle_seconds):
                chunk = await anext(stream)
            if chunk:
                yield chunk
    except StopAsyncIteration:
        return
    except ClientDisconnect:
        raise UploadInterrupted(
            "The connection was closed before the end of the upload. Nothing was kept."
        ) from None
    except TimeoutError:
        raise UploadInterrupted(
            f"Nothing of the upload arrived for {counted(idle_seconds, 'second')}. Nothing was kept."
        ) from None


class _Receiver:
    """Sends each part's bytes where they belong: a file's to its spool, the others to memory."""

    def __init__(self, form: Form, spool: Spool, extra: Mapping[str, Spool]) -> None:
        self.seen: set[str] = set()
        self._form = form
        self._spool = spool
        self._extra = extra
        self._texts: dict[str, bytearray] = {}
        self._current = ""
        self.file = PartBegan(FILE_FIELD)
        self.extra_names: dict[str, str] = {}

    async def take(self, event: Event) -> None:
        if isinstance(event, PartBegan):
            self._begin(event)
        elif isinstance(event, PartData):
            await self._write(event.data)

    def texts(self) -> dict[str, str]:
        return {name: decode_text(name, bytes(raw)) for name, raw in self._texts.items()}

    def _begin(self, part: PartBegan) -> None:
        name = part.name
        self._form.check_field(name, self.seen)
        self.seen.add(name)
        self._current = name
        if name == FILE_FIELD:
            self.file = part
        elif name in self._extra:
            self.extra_names[name] = part.file_name
        else:
            self._texts[name] = bytearray()

    async def _write(self, data: bytes) -> None:
        if self._current == FILE_FIELD:
            await self._spool.write(data)
            return
        if self._current in self._extra:
            await self._write_extra(data)
            return
        text = self._texts[self._current]
        text += data
        limit = self._form.text_bytes[self._current]
        if len(text) > limit:
            raise FieldInvalid(self._current, f"is longer than {counted(limit, 'byte')}")

    async def _write_extra(self, data: bytes) -> None:
        try:
            await self._extra[self._current].write(data)
        except UploadTooLarge:
            most = self._form.extra_file_bytes[self._current]
            raise FieldInvalid(
                self._current, f"is larger than {counted(most, 'byte')}, the most it may have"
            ) from None
