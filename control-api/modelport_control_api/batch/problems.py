"""Errors of jobs as RFC 9457 answers."""

from collections.abc import Iterator
from contextlib import contextmanager

from modelport_crds.reasons import Reason
from modelport_http.problem import FieldError, Problem

from modelport_control_api.batch import errors
from modelport_control_api.batch.formats.errors import InputInvalid
from modelport_control_api.models.problems import as_problems as as_model_problems

_STATUSES: dict[type[errors.BatchError], int] = {
    errors.JobNotFound: 404,
    errors.ModelHidden: 404,
    errors.NoVersion: 503,
    errors.UnknownFormat: 415,
    errors.KeyReused: 422,
    errors.TooManyJobs: 429,
    errors.NotFinished: 409,
    errors.ResultsExpired: 410,
}
_RETRY_AFTER = {503: "5", 429: "30"}


@contextmanager
def as_problems() -> Iterator[None]:
    """Turn the errors of jobs, uploads and fields that are raised inside into answers."""
    try:
        with as_model_problems():
            yield
    except InputInvalid as error:
        entry = FieldError(field="file", message=str(error))
        raise Problem(status=422, detail=str(error), reason=Reason.INPUT_INVALID, errors=[entry]) from error
    except errors.BatchError as error:
        raise _problem(error) from error


def _problem(error: errors.BatchError) -> Problem:
    status = _STATUSES[type(error)]
    retry_after = _RETRY_AFTER.get(status)
    return Problem(
        status=status,
        detail=str(error),
        reason=error.reason if isinstance(error, errors.NoVersion) else None,
        errors=_fields(error),
        headers={"Retry-After": retry_after} if retry_after else None,
    )


def _fields(error: errors.BatchError) -> list[FieldError]:
    if isinstance(error, errors.KeyReused):
        return [FieldError(field="Idempotency-Key", message=str(error))]
    return []
