"""What scripts can tell from the exit code. Stable: a new kind gets a new number."""

from modelport.errors import (
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    JobFailed,
    ModelFailed,
    ModelportError,
    NotFound,
    NotReadyInTime,
    RateLimited,
    Unauthorised,
    Unavailable,
)

OK = 0
FAILURE = 1
USAGE = 2
NOT_AUTHENTICATED = 3
NOT_FOUND = 4
INVALID = 5
UNAVAILABLE = 6
MODEL_FAILED = 7
INTERRUPTED = 130

HELP = (
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not logged in or not allowed, 4 not found, "
    "5 refused as invalid, 6 limit used up or not available, 7 model or job failed, 130 interrupted."
)

_BY_ERROR: dict[type[ModelportError], int] = {
    Unauthorised: NOT_AUTHENTICATED,
    Forbidden: NOT_AUTHENTICATED,
    NotFound: NOT_FOUND,
    InvalidRequest: INVALID,
    Conflict: INVALID,
    RateLimited: UNAVAILABLE,
    Unavailable: UNAVAILABLE,
    ConnectionFailed: UNAVAILABLE,
    ModelFailed: MODEL_FAILED,
    JobFailed: MODEL_FAILED,
    NotReadyInTime: MODEL_FAILED,
}


def of(error: ModelportError) -> int:
    return _BY_ERROR.get(type(error), FAILURE)
