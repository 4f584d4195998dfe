"""Why a file is refused before anything runs it."""

from collections.abc import Iterator
from contextlib import contextmanager

from modelport_crds.reasons import Reason
from modelport_formats.errors import DamagedFile, UnknownFormat

from modelport_control_api.errors import DomainError


class UnsupportedFormat(DomainError):
    """Not a model file that the platform knows."""

    status = 422
    reason = Reason.UNSUPPORTED_FORMAT
    field = "file"


class CorruptArtifact(DomainError):
    """A known format, but truncated or damaged."""

    status = 422
    reason = Reason.CORRUPT_ARTIFACT
    field = "file"


class FrameworkMismatch(DomainError):
    """The framework that was declared is not the one found."""

    status = 422
    reason = Reason.FRAMEWORK_MISMATCH
    field = "model_type"


@contextmanager
def as_refusals() -> Iterator[None]:
    """Raise what is said of a format as what refuses an upload."""
    try:
        yield
    except UnknownFormat as error:
        raise UnsupportedFormat(str(error)) from None
    except DamagedFile as error:
        raise CorruptArtifact(str(error)) from None
