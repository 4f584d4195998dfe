"""Which fields an upload may have, what was received, and why an upload is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modelport_crds.reasons import Reason
from modelport_http.wording import counted

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


def larger_than(most: int, what: str = "file") -> UploadTooLarge:
    """Return the error for a file, or for an upload as a whole, of more bytes than the most accepted."""
    return UploadTooLarge(
        f"The {what} is larger than {counted(most, 'byte')}, the most that this platform accepts."
    )


class EmptyFile(UploadError):
    """The file has no bytes."""

    message = "The file is empty. Save the model again and upload the new file."
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


FILE_FIELD = "file"


@dataclass(frozen=True, slots=True)
class Form:
    """`text_bytes`: each text field that may come, with the most bytes it may have. `file` always may.

    `extra_file_bytes`: the same of further files. `instead_of_file`: a text field that spares `file`.
    """

    text_bytes: Mapping[str, int]
    required: frozenset[str]
    max_file_bytes: int
    extra_file_bytes: Mapping[str, int] = field(default_factory=dict)
    instead_of_file: str | None = None

    @property
    def max_body_bytes(self) -> int:
        """The files, every text field at its longest, and room for the part headers."""
        others = sum(self.text_bytes.values()) + sum(self.extra_file_bytes.values())
        return self.max_file_bytes + others + 64 * 1024

    def check_field(self, name: str, seen: set[str]) -> None:
        """Raises `FieldInvalid` for a field that the form does not have, or that was `seen` already."""
        known = [FILE_FIELD, *self.text_bytes, *self.extra_file_bytes]
        if name not in known:
            raise FieldInvalid(name, f"is not a field of this form; it has {', '.join(known)}")
        if name in seen:
            raise FieldInvalid(name, "is given twice; give it once")

    def check_complete(self, seen: set[str]) -> None:
        """Raises `FieldInvalid` for the first required field that was not `seen`."""
        files = [] if self.instead_of_file in seen else [FILE_FIELD]
        for name in (*files, *sorted(self.required)):
            if name not in seen:
                raise FieldInvalid(name, "is missing")


@dataclass(frozen=True, slots=True)
class ReceivedUpload:
    """`path` holds the file until the artifact store takes it. `size` is in bytes.

    `file_name` and `content_type` are what the sender calls it. `extra_files`: those that were sent and are
    not empty, until the end of the request; `extra_names`: what the sender calls them.
    """

    path: Path
    sha256: str
    size: int
    texts: Mapping[str, str] = field(default_factory=dict)
    file_name: str = ""
    content_type: str = ""
    extra_files: Mapping[str, Path] = field(default_factory=dict)
    extra_names: Mapping[str, str] = field(default_factory=dict)

    def require_content(self) -> None:
        """Raises `EmptyFile`."""
        if self.size == 0:
            raise EmptyFile


def decode_text(name: str, raw: bytes) -> str:
    """Return the field's text. Raises `FieldInvalid` for what is not UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise FieldInvalid(name, "is not UTF-8 text") from None
