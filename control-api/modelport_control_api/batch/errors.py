"""What can be wrong with a call on jobs; each is a plain fact, turned into an answer in `problems`."""


class BatchError(Exception):
    """The message says what happened and what to do."""


class JobNotFound(BatchError):
    """None such, or someone else's: the same to the caller."""


class ModelHidden(BatchError):
    """No such model, or one that the caller may not ask: the same to the caller."""


class NoVersion(BatchError):
    """No version can do the job: none serves, or the one that was asked for has not answered."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class UnknownFormat(BatchError):
    """The body is of no content type that we read."""


class KeyReused(BatchError):
    """The Idempotency-Key came with another request before."""


class TooManyJobs(BatchError):
    """The user has as many unfinished jobs as are allowed."""


class NotFinished(BatchError):
    """The job has no results, or not all of them."""


class ResultsExpired(BatchError):
    """The job's files are gone."""
