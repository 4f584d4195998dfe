"""Rounds over the models with feedback, in the background, that leave the machine to others."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from sqlalchemy import Select, select

from modelport_control_api.registry.tables import ModelRow

EVERY_SECONDS = 300.0
# Computing takes at most one in so many seconds, however many rows there are.
_IDLE_SHARE = 20


def with_feedback() -> Select[str]:
    """Select the ids of the models that ask for it."""
    return select(ModelRow.id).where(ModelRow.feedback_percent.is_not(None))


async def one_by_one(model_ids: Iterable[str], work: Callable[[str], Awaitable[None]]) -> None:
    """Do it for one model after the other, and pause after each."""
    for model_id in model_ids:
        started = time.monotonic()
        await work(model_id)
        await asyncio.sleep(_IDLE_SHARE * (time.monotonic() - started))
