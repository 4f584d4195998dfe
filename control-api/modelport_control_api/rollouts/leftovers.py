"""In the background: what was counted of rollouts that are over goes, though it came after their end."""

from dataclasses import dataclass

from modelport_crds.mlmodel import MLModel
from modelport_process.background import every
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry import guarded
from modelport_control_api.usage import evidence

_SWEEP_EVERY_SECONDS = 60.0
# A rollout of kubectl is known by the watch alone, so what is not in sight must be known to be gone.
_SURE_AFTER_SECONDS = 30.0


@dataclass(frozen=True)
class EvidenceSweep:
    """Gateways send again what the database did not confirm, for as long as that takes, and kubectl ends
    rollouts without a word to anybody. Any number of control APIs may do it."""

    models: ModelsServices

    async def run(self) -> None:
        """Sweep forever."""
        await self.models.statuses.synced.wait()
        await every(
            _SWEEP_EVERY_SECONDS, self.sweep, failed="old_evidence_not_removed", catches=SQLAlchemyError
        )

    async def sweep(self) -> None:
        """Forget what belongs to no rollout that goes on; nothing while the cluster is out of sight."""
        if self.models.statuses.live_for() < _SURE_AFTER_SECONDS:
            return
        found = await self.models.transactions.read(
            lambda session: evidence.counted(session) - guarded.going_on(session)
        )
        if left := {pair for pair in found if not self._goes_on(*pair)}:
            await self.models.transactions.write(lambda session: _forget(session, left))

    def _goes_on(self, model_id: str, rollout: int) -> bool:
        live = self.models.statuses.get(model_id)
        return live is not None and _is_going_on(live, rollout)


def _is_going_on(live: MLModel, rollout: int) -> bool:
    wanted, status = live.spec.rollout, live.status.rollout
    if status is not None and status.id == rollout:
        return not status.is_over
    return wanted is not None and wanted.id == rollout


def _forget(session: Session, rollouts: set[tuple[str, int]]) -> None:
    for model_id, rollout in sorted(rollouts):
        evidence.forget(session, model_id, rollout)
