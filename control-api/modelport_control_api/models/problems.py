"""Domain errors of models, uploads and artifacts as RFC 9457 answers: the only place that knows both."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from modelport_crds.reasons import Reason
from modelport_http.problem import FieldError, Problem

from modelport_control_api.artifacts.store import ArtifactMissing
from modelport_control_api.drift.errors import ReferenceNotFound
from modelport_control_api.registry import errors as models
from modelport_control_api.registry.quotas import QuotaReached
from modelport_control_api.sniff import errors as sniff
from modelport_control_api.uploads import errors as uploads

# Error → status, reason, and the form field that is to blame.
_ANSWERS: dict[type[Exception], tuple[int, Reason | None, str | None]] = {
    ArtifactMissing: (404, Reason.ARTIFACT_NOT_FOUND, None),
    ReferenceNotFound: (404, None, None),
    models.KeyRestricted: (403, None, None),
    models.ManagedWithKubectl: (409, None, None),
    models.ClusterAway: (503, None, None),
    models.LogsElsewhere: (409, None, None),
    models.ModelNotFound: (404, None, None),
    models.VersionNotFound: (404, None, None),
    models.VersionNotReady: (409, Reason.NO_READY_VERSION, None),
    models.VersionServing: (409, None, None),
    models.NothingToRollBack: (409, None, None),
    models.TooManyVersions: (409, None, None),
    QuotaReached: (409, None, None),
    uploads.NotMultipart: (415, None, None),
    uploads.MalformedMultipart: (400, None, None),
    uploads.UploadInterrupted: (400, None, None),
    uploads.UploadTooLarge: (413, Reason.TOO_LARGE, "file"),
    uploads.StorageFull: (507, None, None),
    uploads.EmptyFile: (422, Reason.CORRUPT_ARTIFACT, "file"),
    sniff.UnsupportedFormat: (422, Reason.UNSUPPORTED_FORMAT, "file"),
    sniff.CorruptArtifact: (422, Reason.CORRUPT_ARTIFACT, "file"),
    sniff.FrameworkMismatch: (422, Reason.FRAMEWORK_MISMATCH, "model_type"),
}


@contextmanager
def as_problems() -> Iterator[None]:
    """Turn the domain errors raised inside into answers; anything else passes."""
    try:
        yield
    except models.FieldErrors as error:
        raise _of_fields(error.errors) from error
    except uploads.FieldInvalid as error:
        raise _of_fields({error.field: str(error)}) from error
    except tuple(_ANSWERS) as error:
        raise _of_error(error) from error


def _of_error(error: Exception) -> Problem:
    status, reason, field = _ANSWERS[type(error)]
    errors: list[FieldError] = [{"field": field, "message": str(error)}] if field else []
    headers = {"Retry-After": "5"} if status == 503 else None
    return Problem(status=status, detail=str(error), reason=reason, errors=errors, headers=headers)


def _of_fields(messages: Mapping[str, str]) -> Problem:
    errors: list[FieldError] = [{"field": field, "message": message} for field, message in messages.items()]
    detail = "; ".join(f"{field} {message}".strip() for field, message in messages.items())
    return Problem(status=422, detail=f"{detail}.", errors=errors)
