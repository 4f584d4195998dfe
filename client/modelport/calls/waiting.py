"""Until a model, a version or a job is ready, or failed."""

import time
from collections.abc import Callable
from typing import TypeVar

from modelport.errors import JobFailed, ModelFailed, ModelportError, NotReadyInTime, SignatureChanged
from modelport.job import Job
from modelport.models import SIGNATURE_CHANGED, Model, Version
from modelport.steps import Flow, Pause

# The platform holds a request for at most a minute; shorter, so that proxies do not cut it.
_HOLD_SECONDS = 20
# Short, so that a job's bar moves.
_HOLD_JOB_SECONDS = 1.0
# A platform that responds at once, however long it was to hold, is not called in a busy loop.
_BUSY_LOOP_SECONDS = 0.3

Loading = TypeVar("Loading", Model, Version)
Waited = TypeVar("Waited", Model, Version, Job)


def hold(seconds: float) -> dict[str, float] | None:
    """The query that has the platform respond after a change, or after so many seconds (60 at most)."""
    return {"wait": seconds} if seconds > 0 else None


def until_ready(
    get: Callable[[float], Flow[Loading]],
    seconds: float,
    on_status: Callable[[Loading], None] | None,
    *,
    path: str,
) -> Flow[Loading]:
    """`get(hold)` reads the present state, after at most `hold` seconds if nothing changes. `path`: of what.

    Raises ModelFailed, NotReadyInTime or SignatureChanged.
    """
    found = yield from _until(get, lambda found: not _in_progress(found), seconds, _HOLD_SECONDS, on_status)
    error: ModelportError
    if found.status == "failed":
        error = ModelFailed(found)
    elif _in_progress(found):
        error = NotReadyInTime(f"{found.name} is not ready after {seconds:.0f} s: {found.message}", found)
    elif found.reason == SIGNATURE_CHANGED:
        error = SignatureChanged.of(found)
    else:
        return found
    error.path = path
    raise error


def until_done(
    get: Callable[[float], Flow[Job]], seconds: float, on_status: Callable[[Job], None] | None
) -> Flow[Job]:
    """Raises JobFailed, also for a job that was cancelled, or NotReadyInTime."""
    job = yield from _until(get, lambda job: job.ended, seconds, _HOLD_JOB_SECONDS, on_status)
    if not job.ended:
        raise NotReadyInTime(f"The job {job.id} is not done after {seconds:.0f} s.", job)
    if job.state != "succeeded":
        raise JobFailed(job)
    return job


def _until(
    get: Callable[[float], Flow[Waited]],
    ended: Callable[[Waited], bool],
    seconds: float,
    longest_hold: float,
    on_status: Callable[[Waited], None] | None,
) -> Flow[Waited]:
    """The last state: one that has ended, or what it was when the time was up."""
    give_up_at = time.monotonic() + seconds
    held = 0.0  # The first state comes at once, for callers that show progress.
    while True:
        began = time.monotonic()
        found = yield from get(held)
        if on_status is not None:
            on_status(found)
        left = give_up_at - time.monotonic()
        if ended(found) or left <= 0:
            return found
        if held and time.monotonic() - began < _BUSY_LOOP_SECONDS:
            yield Pause(_BUSY_LOOP_SECONDS)
        held = min(longest_hold, left)


def _in_progress(found: Model | Version) -> bool:
    """A new version that is probed is `degraded` for that moment."""
    return found.status == "pending" or (found.status == "degraded" and found.reason == "Progressing")
