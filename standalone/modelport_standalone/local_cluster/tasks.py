"""Background work that must not end unnoticed."""

import asyncio
from collections.abc import Coroutine

import structlog

log = structlog.get_logger(__name__)


def start(work: Coroutine[None, None, None], what: str) -> asyncio.Task[None]:
    """Like `create_task`; should the work break, that is logged under `what`."""
    task = asyncio.create_task(work, name=what)
    task.add_done_callback(_report)
    return task


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("background_task_failed", what=task.get_name(), exc_info=error)
