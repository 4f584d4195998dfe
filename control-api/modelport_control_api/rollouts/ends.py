"""In the background: sees in the cluster that a rollout is over, and has its end written down."""

import asyncio
from functools import partial

import structlog
from modelport_crds.mlmodel import MLModel
from modelport_process.background import is_cancelled
from modelport_process.backoff import Backoff
from sqlalchemy.exc import SQLAlchemyError

from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry import guarded

log = structlog.get_logger(__name__)
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0


class RolloutEnds:
    """Fed by the watch of the models. Level-triggered, as each listing brings every one of them: any number
    of control APIs may do it, and one that was killed does it again."""

    def __init__(self, models: ModelsServices) -> None:
        self._models = models
        self._over: set[str] = set()
        """Models whose last rollout has an end that may be new."""
        self._settled: dict[str, int] = {}
        """Model → the rollout whose end needs nothing more."""
        self._seen = asyncio.Event()
        self._backoff = Backoff(_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
        models.statuses.listen(self._note)

    async def run(self) -> None:
        """Write down each end that is seen, forever; again and again while the database is away."""
        for model_id, _ in self._models.statuses.all():
            self._note(model_id)
        while not is_cancelled():
            await self._seen.wait()
            self._seen.clear()
            over, self._over = self._over, set()
            if failed := [model_id for model_id in over if not await self._write_down(model_id)]:
                await asyncio.sleep(self._backoff.next_delay())
                for model_id in failed:
                    self._note(model_id)
            else:
                self._backoff.reset()

    def _note(self, model_id: str) -> None:
        live = self._models.statuses.get(model_id)
        if live is None:
            self._settled.pop(model_id, None)
        elif self._new_end(model_id, live) is not None:
            self._over.add(model_id)
            self._seen.set()

    def _new_end(self, model_id: str, live: MLModel) -> int | None:
        """Return the number of the rollout that is over and not known to be settled."""
        status = live.status.rollout
        if status is None or not status.is_over or self._settled.get(model_id) == status.id:
            return None
        return status.id

    async def _write_down(self, model_id: str) -> bool:
        """False: the database is away."""
        live = self._models.statuses.get(model_id)
        number = self._new_end(model_id, live) if live is not None else None
        if live is None or number is None:
            return True
        try:
            await self._models.transactions.write(partial(guarded.end, model_id=model_id, live=live))
        except SQLAlchemyError as error:
            log.warning("rollout_not_ended", model=model_id, error=repr(error))
            return False
        self._settled[model_id] = number
        return True
