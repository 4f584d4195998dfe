"""How a request ended, in words: pages show them beside the status, and the history is filtered by them."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from modelport_crds.reasons import EXPLANATIONS, Reason

REASON_WORDS: Mapping[str, str] = {
    Reason.MODEL_ERROR: "The model raised an error",
    Reason.MODEL_TIMEOUT: "The model took too long",
    Reason.QUEUE_FULL: "Its queue was full",
    Reason.NO_READY_VERSION: "No version was ready",
}
"""The reasons that a prediction can have. All others are of versions, jobs and accounts."""
OUTCOME_WORDS: Mapping[str, str] = {"ok": "Predicted", "error": "Any error", **REASON_WORDS}
"""What the history can be filtered by."""
_STATUS_WORDS: Mapping[int, str] = {
    200: "Predicted",
    400: "Not readable",
    401: "No valid credential",
    403: "Not allowed",
    404: "No such model or version",
    413: "Too large",
    415: "Not of a type that is read",
    422: "Input that does not fit the model",
    429: "Over the rate limit",
    499: "The caller left first",
    500: "Something failed",
    502: "Not a response of a model",
    503: "Not available",
    504: "No response in time",
}


def outcome_words(status: int, reason: str | None = None) -> str:
    """In a few words; of a reason that only versions have, the sentence that explains it."""
    if not reason:
        return _STATUS_WORDS.get(status) or _phrase(status)
    if reason in REASON_WORDS:
        return REASON_WORDS[reason]
    return EXPLANATIONS[Reason(reason)].meaning if reason in set(Reason) else reason


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else f"Status {status}"


FILTERS: Mapping[str, Callable[..., str]] = {"outcome_words": outcome_words}
