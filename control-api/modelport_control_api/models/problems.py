"""Domain errors of models, uploads and artifacts as RFC 9457 answers: the only place that knows both."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from modelport_crds.reasons import Reason
from modelport_edge.problem import Problem

from modelport_control_api.artifacts.store import ArtifactMissing
from modelport_control_api.models import errors as models
from modelport_control_api.sniff import errors as sniff
from modelport_control_api.uploads import errors as uploads

FieldList = list[dict[str, str]]


@contextmanager
def as_problems() -> Iterator[None]:
    """Turn the domain errors raised inside into answers; anything else passes."""
    try:
        yield
    except tuple(_ANSWERS) as error:
        raise _ANSWERS[type(error)](error) from error


def artifact_missing(error: ArtifactMissing) -> Problem:
    return Problem(
        status=404, title="Artifact not found", detail=str(error), reason=Reason.ARTIFACT_NOT_FOUND
    )


def _plain(status: int, title: str, reason: Reason | None = None) -> Callable[[Exception], Problem]:
    return lambda error: Problem(status=status, title=title, detail=str(error), reason=reason)


def _fields(errors: dict[str, str]) -> Problem:
    listed: FieldList = [{"field": field, "message": message} for field, message in errors.items()]
    detail = "; ".join(f"{field} {message}".strip() for field, message in errors.items())
    return Problem(status=422, title="Invalid request", detail=detail, errors=listed)


def _of_fields(error: Exception) -> Problem:
    assert isinstance(error, models.FieldErrors)
    return _fields(error.errors)


def _of_field(error: Exception) -> Problem:
    assert isinstance(error, uploads.FieldInvalid)
    return _fields({error.field: str(error)})


def _of_file(title: str, reason: Reason) -> Callable[[Exception], Problem]:
    return lambda error: Problem(
        status=422,
        title=title,
        detail=str(error),
        reason=reason,
        errors=[{"field": "file", "message": str(error)}],
    )


def _mismatch(error: Exception) -> Problem:
    return Problem(
        status=422,
        title="Framework mismatch",
        detail=str(error),
        reason=Reason.FRAMEWORK_MISMATCH,
        errors=[{"field": "model_type", "message": str(error)}],
    )


_ANSWERS: dict[type[Exception], Callable[[Exception], Problem]] = {
    models.ModelNotFound: _plain(404, "Model not found"),
    models.VersionNotFound: _plain(404, "Version not found"),
    models.FieldErrors: _of_fields,
    models.VersionNotReady: _plain(409, "Version not ready", Reason.NO_READY_VERSION),
    models.VersionServing: _plain(409, "Version in use"),
    models.NothingToRollBack: _plain(409, "Nothing to roll back"),
    models.TooManyVersions: _plain(409, "Too many versions"),
    uploads.NotMultipart: _plain(415, "Unsupported media type"),
    uploads.MalformedMultipart: _plain(400, "Malformed multipart body"),
    uploads.UploadTooLarge: _plain(413, "Upload too large", Reason.TOO_LARGE),
    uploads.EmptyFile: _of_file("Corrupt artifact", Reason.CORRUPT_ARTIFACT),
    uploads.FieldInvalid: _of_field,
    uploads.UploadInterrupted: _plain(400, "Upload interrupted"),
    uploads.StorageFull: _plain(507, "Insufficient storage"),
    sniff.UnsupportedFormat: _of_file("Unsupported format", Reason.UNSUPPORTED_FORMAT),
    sniff.CorruptArtifact: _of_file("Corrupt artifact", Reason.CORRUPT_ARTIFACT),
    sniff.FrameworkMismatch: _mismatch,
}
