"""Why an upload is refused. Each is the caller's doing except StorageFull and UploadInterrupted."""

from modelport_crds.reasons import Reason

from modelport_control_api.errors import DomainError, InvalidFields


class UploadError(DomainError):
    """The message says what happened and what to do."""


class NotMultipart(UploadError):
    """The body is not multipart/form-data."""

    status = 415


class MalformedMultipart(UploadError):
    """The body says that it is multipart and is not."""

    status = 400


class UploadTooLarge(UploadError):
    """The file is larger than the limit."""

    status = 413
    reason = Reason.TOO_LARGE
    field = "file"


class EmptyFile(UploadError):
    """The file has no bytes."""

    status = 422
    reason = Reason.CORRUPT_ARTIFACT
    field = "file"


class FieldInvalid(InvalidFields):
    """`field` is missing, unknown, given twice, too long or not text."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__((field, message))


class UploadInterrupted(UploadError):
    """The caller went away, or sent nothing for too long."""

    status = 400


class StorageFull(UploadError):
    """The disk that holds uploads has no room left."""

    status = 507
