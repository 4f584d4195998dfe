"""What can be wrong with a call on jobs."""

from modelport_control_api.errors import DomainError


class BatchError(DomainError):
    """The message says what happened and what to do."""


class JobNotFound(BatchError):
    """None such, or someone else's: the same to the caller."""

    status = 404


class ModelHidden(BatchError):
    """No such model, or one that the caller may not call: the same to the caller."""

    status = 404


class NoVersion(BatchError):
    """No version can do the job: none serves, or the one that was requested has not answered its sample."""

    status = 503
    retry_after = 5

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class UnknownFormat(BatchError):
    """The body is of no content type that we read."""

    status = 415


class KeyReused(BatchError):
    """The Idempotency-Key came with another request before."""

    status = 422
    field = "Idempotency-Key"


class TooManyJobs(BatchError):
    """The user has as many unfinished jobs as are allowed."""

    status = 429
    retry_after = 30


class NotFinished(BatchError):
    """The job has no results, or not all of them."""

    status = 409


class ResultsExpired(BatchError):
    """The job's files are gone."""

    status = 410
