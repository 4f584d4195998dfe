"""In the background: sees in the cluster that a rollout is over, and has its end written down."""

from dataclasses import dataclass, field
from functools import partial

from modelport_crds.mlmodel import MLModel
from modelport_process.background import every
from sqlalchemy.exc import SQLAlchemyError

from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry import guarded

_LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class RolloutEnds:
    """Level-triggered: any number of control APIs may do it, and one that was killed does it again."""

    models: ModelsServices
    _settled: dict[str, int] = field(default_factory=dict)
    """Model → the rollout whose end needs nothing more."""

    async def run(self) -> None:
        """Look forever."""
        await self.models.statuses.synced.wait()
        await every(_LOOK_EVERY_SECONDS, self.look, failed="rollout_not_ended", catches=SQLAlchemyError)

    async def look(self) -> None:
        """Write down each end that is new."""
        for model_id, live, number in self._over():
            await self.models.transactions.write(partial(guarded.end, model_id=model_id, live=live))
            self._settled[model_id] = number

    def _over(self) -> list[tuple[str, MLModel, int]]:
        found = [(id_, live, live.status.rollout) for id_, live in self.models.statuses.all()]
        return [
            (model_id, live, status.id)
            for model_id, live, status in found
            if status is not None and status.is_over and self._settled.get(model_id) != status.id
        ]
