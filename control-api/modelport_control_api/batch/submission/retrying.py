"""A job that tries another's rows again: all of them, or those without a prediction."""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from fastapi import Request
from sqlalchemy.orm import Session

from modelport_control_api.batch import service
from modelport_control_api.batch.errors import NotFinished, ResultsExpired
from modelport_control_api.batch.options import Options, check_outputs
from modelport_control_api.batch.render import is_expired
from modelport_control_api.batch.repository import UNFINISHED
from modelport_control_api.batch.service import NewJob, find_repeated
from modelport_control_api.batch.submission.submission import idempotency_key, store
from modelport_control_api.batch.target import find_target
from modelport_control_api.batch.wiring import Batch, BatchServices
from modelport_control_api.db.base import new_id, utc_now
from modelport_control_api.identity import Principal
from modelport_control_api.models.access import Models
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry.tables import BatchJob
from modelport_control_api.uploads.form import StorageFull

Rows = Literal["all", "failed"]


@dataclass(frozen=True, slots=True)
class Retrying:
    """Of one request."""

    request: Request
    models: ModelsServices
    services: BatchServices

    async def retry(self, principal: Principal, job_id: str, rows: Rows) -> BatchJob:
        """Return the new job, or the one that the same request made before.

        Raises `StorageFull`, and what `service.get` and `find_target` raise.
        """
        key = idempotency_key(self.request)

        def prepare(session: Session) -> tuple[NewJob, str, BatchJob | None]:
            origin = service.get(session, principal, job_id)
            _require_rows(origin, rows)
            live = self.models.statuses.get(origin.model_id)
            target = find_target(session, live, principal, origin.model_id, origin.version)
            options = _options(origin)
            # Its processes may since have started without them.
            check_outputs(options, target.signature)
            new = _again(origin, rows, NewJob(new_id(), target, options, None))
            new = replace(new, idempotency_key=key)
            return new, origin.id, find_repeated(session, principal, new)

        new, origin_id, repeated = await self.models.transactions.read(prepare)
        if repeated is not None:
            return repeated
        if not self.models.reserve.has_room():
            raise StorageFull(
                "The platform's disk has no room for another job. Delete some, or try it later."
            )
        if new.input_bytes is not None:
            await self._copy_input(origin_id, new.id)
        return await store(self.models, self.services, principal, new)

    async def _copy_input(self, origin_id: str, job_id: str) -> None:
        try:
            await self.services.files.copy_input(origin_id, job_id)
        except FileNotFoundError as error:
            raise _expired() from error


async def get_retrying(request: Request, models: Models, services: Batch) -> Retrying:
    """The dependency. Nothing is read or stored before `retry`."""
    return Retrying(request, models, services)


def _again(origin: BatchJob, rows: Rows, new: NewJob) -> NewJob:
    has_input = rows == "all"
    return replace(
        new,
        input_bytes=origin.input_bytes if has_input else None,
        input_uri=origin.input_uri if has_input else None,
        input_name=origin.input_name,
        retry_of=origin.id,
        retry_rows=rows,
        request_sha256=hashlib.sha256(f"retry {origin.id} {rows}".encode()).hexdigest(),
    )


def _options(origin: BatchJob) -> Options:
    return Options(
        input_format=origin.input_format,
        output_format=origin.output_format,
        key_columns=origin.key_columns,
        probabilities=origin.probabilities,
        webhook_url=origin.webhook_url,
        contributions=origin.contributions,
    )


def _require_rows(origin: BatchJob, rows: Rows) -> None:
    if origin.state in UNFINISHED:
        raise NotFinished(
            f"The job is {origin.state}: wait for its end, or cancel it, and try it again then."
        )
    if is_expired(origin, utc_now()):
        raise _expired()
    if rows == "all" and not origin.has_rows_of_another:
        return
    if origin.rows_total is None:
        raise NotFinished(_unread(origin))
    if rows == "failed" and not origin.rows_failed and origin.rows_done == origin.rows_total:
        raise NotFinished("Each of its rows has a prediction: there is none to try again.")


def _unread(origin: BatchJob) -> str:
    if origin.has_rows_of_another:
        return f"Not all of its rows were taken from job {origin.retry_of}: try that one's again."
    return "Its input was not read to its end: try all rows again (?rows=all)."


def _expired() -> ResultsExpired:
    return ResultsExpired("The job's files are gone: submit the input again.")
