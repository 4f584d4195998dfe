"""Why an upload is refused. Each is the caller's doing except StorageFull and UploadInterrupted."""


class UploadError(Exception):
    """The message says what happened and what to do."""


class NotMultipart(UploadError):
    """The body is not multipart/form-data."""


class MalformedMultipart(UploadError):
    """The body says that it is multipart and is not."""


class UploadTooLarge(UploadError):
    """The file is larger than the limit."""


class EmptyFile(UploadError):
    """The file has no bytes."""


class FieldInvalid(UploadError):
    """`field` is missing, unknown, given twice, too long or not text."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UploadInterrupted(UploadError):
    """The caller went away, or sent nothing for too long."""


class StorageFull(UploadError):
    """The disk that holds uploads has no room left."""
