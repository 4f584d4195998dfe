"""A job's request on its way to being a job: received, looked at, stored, and only then named."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.requests import Request

from modelport_control_api.batch import options as options_of
from modelport_control_api.batch.formats.limits import MAX_ROW_BYTES, Limits
from modelport_control_api.batch.options import Options
from modelport_control_api.batch.pods.demand import publish_again
from modelport_control_api.batch.preparation import Preparation
from modelport_control_api.batch.service import NewJob, create, find_repeated, require_room
from modelport_control_api.batch.sources import uri
from modelport_control_api.batch.target import Target, find_target
from modelport_control_api.batch.wiring import Batch, BatchServices
from modelport_control_api.db.base import new_id
from modelport_control_api.errors import InvalidFields
from modelport_control_api.identity import Principal
from modelport_control_api.models.access import Models
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry import quotas
from modelport_control_api.registry.tables import BatchJob
from modelport_control_api.uploads.form import Form, ReceivedUpload
from modelport_control_api.uploads.receive import receive_body, receive_upload

T = TypeVar("T")

_FORM_TEXTS = dict.fromkeys((*options_of.NAMES, uri.FIELD), options_of.MAX_TEXT_BYTES)
_MAX_KEY_CHARACTERS = 255
_MAX_NAME_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class JobSubmission:
    """Of one request."""

    request: Request
    models: ModelsServices
    services: BatchServices

    async def submit(self, principal: Principal, model_id: str, version: str | None) -> BatchJob:
        """Return the new job, or the one that the same request made before."""
        key = idempotency_key(self.request)
        options_of.require_known(self._content_type)
        # Checked before the body is read: nobody sends a gigabyte to learn that the id is wrong.
        live = self.models.statuses.get(model_id)
        target = await self._read(lambda session: find_target(session, live, principal, model_id, version))
        await self.models.require_quota(principal.user_id, models=0)
        async with self._receiving() as upload:
            named = uri.find_named(upload, self._content_type)
            options = self._options(upload, named)
            options_of.check_outputs(options, target.signature)
            source = named.uri if named else None
            sha256 = _request_sha256(model_id, version, options, source or upload.sha256)
            size = None if named else upload.size
            name = uri.file_name(named.uri) if named else upload.file_name
            new = NewJob(new_id(), target, options, size, source, key, sha256, input_name=_shown_name(name))
            if repeated := await self._read(lambda session: find_repeated(session, principal, new)):
                return repeated
            if named is None:
                await asyncio.to_thread(_look_at_its_head, upload.path, options, target)
                await self.services.files.take_input(new.id, upload.path)
            return await store(self.models, self.services, principal, new)

    @property
    def _content_type(self) -> str:
        return self.request.headers.get("content-type", "")

    def _options(self, upload: ReceivedUpload, named: uri.Named | None) -> Options:
        query = _query(self.request)
        if named is None:
            upload.require_content()
            return options_of.read_options({**query, **upload.texts}, upload.content_type, upload.file_name)
        texts = {**query, **named.texts}
        uri.require_readable(uri.Named(named.uri, texts), self.services.input_prefixes)
        return options_of.read_options(texts, "", uri.file_name(named.uri))

    @asynccontextmanager
    async def _receiving(self) -> AsyncIterator[ReceivedUpload]:
        services, folder, reserve = self.services, self.models.store.incoming, self.models.reserve
        if options_of.is_multipart(self._content_type):
            form = Form(
                _FORM_TEXTS,
                required=frozenset(),
                max_file_bytes=services.max_bytes,
                instead_of_file=uri.FIELD,
            )
            receiving = receive_upload(
                self.request, form, folder, idle_seconds=services.idle_seconds, reserve=reserve
            )
        else:
            receiving = receive_body(
                self.request,
                folder,
                max_bytes=services.max_bytes,
                idle_seconds=services.idle_seconds,
                reserve=reserve,
            )
        async with receiving as upload:
            yield upload

    async def _read(self, work: Callable[[Session], T]) -> T:
        return await self.models.transactions.read(work)


async def store(
    models: ModelsServices, services: BatchServices, principal: Principal, new: NewJob
) -> BatchJob:
    """No row without its file; a file without a row is removed by the sweep if not here."""

    def make(session: Session) -> BatchJob:
        require_room(session, principal, services.max_unfinished)
        size = new.input_bytes or 0
        quotas.require_room(session, principal.user_id, models.limits, models=0, size=size)
        job = create(session, principal, new)
        # Not only when the demand is next looked at: what a short job waits for is its pod's start.
        publish_again(session, {job.model_id})
        return job

    try:
        return await models.transactions.write(make)
    except IntegrityError:
        await services.files.remove(new.id)
        # The same request came twice at once, and the other was first.
        repeated = await models.transactions.read(lambda session: find_repeated(session, principal, new))
        if repeated is None:
            raise
        return repeated
    except Exception:
        await services.files.remove(new.id)
        raise


async def get_submission(request: Request, models: Models, services: Batch) -> JobSubmission:
    """The dependency. Nothing of the body is read before `submit`."""
    return JobSubmission(request, models, services)


def _look_at_its_head(path: Path, options: Options, target: Target) -> None:
    """Raises `InputInvalid` for what nobody could do anything with. Parquet is the worker's to open."""
    if options.input_format == "parquet":
        return
    with path.open("rb") as file:
        signature, keys = target.signature, options.key_columns
        # How long a cell may be only the worker knows.
        limits = Limits(cell_bytes=MAX_ROW_BYTES)
        # Kept by no name: what reads the file must be gone before it is closed.
        next(
            Preparation(file, options.input_format, signature, keys, limits=limits, by_row=True).chunks(),
            None,
        )


def _shown_name(name: str) -> str:
    """The last part of what its sender calls it, fit for a page."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(filter(str.isprintable, last)).strip()[:_MAX_NAME_CHARACTERS]


def _query(request: Request) -> Mapping[str, str]:
    unknown = request.query_params.keys() - set(options_of.NAMES)
    if unknown:
        raise InvalidFields(*((name, "is no option of a batch job") for name in unknown))
    return dict(request.query_params)


def idempotency_key(request: Request) -> str | None:
    """Return the header `Idempotency-Key`, None without one. Raises `InvalidFields` for a malformed one."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= _MAX_KEY_CHARACTERS and key.isascii() and key.isprintable()):
        raise InvalidFields(
            ("Idempotency-Key", f"must have 1 to {_MAX_KEY_CHARACTERS} printable ASCII characters")
        )
    return key


def _request_sha256(model_id: str, version: str | None, options: Options, source: str) -> str:
    """`source`: the input's own sha256, or its address."""
    identity = [model_id, version, options.as_json(), source]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
