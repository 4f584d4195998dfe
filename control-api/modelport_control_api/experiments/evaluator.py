"""In the background: looks at each experiment that goes on, and writes down what it finds."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from modelport_crds.mlmodel import MLModel
from modelport_process.background import every
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, undefer

from modelport_control_api.alerts import events
from modelport_control_api.alerts.events import Fact, Subject
from modelport_control_api.db.base import utc_now
from modelport_control_api.experiments.asking import end, terms_of
from modelport_control_api.experiments.counting import Counted, count
from modelport_control_api.experiments.judging import note_look
from modelport_control_api.experiments.schemas import Terms
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry import repository
from modelport_control_api.registry.status_view import served_traffic, version_view
from modelport_control_api.registry.tables import ExperimentRow, ModelRow

log = structlog.get_logger(__name__)

_LOOK_EVERY_SECONDS = 1.0
_LEAST_SECONDS_BETWEEN = 10.0
# Counting takes at most one in so many seconds, however many rows there are.
_IDLE_SHARE = 20
# Meanwhile no other control API looks at the same one; one that was killed costs no more than that.
_LEASE = timedelta(seconds=60)
# Gateways hear of the cluster's traffic within a second.
_HEARD = timedelta(seconds=2)

_Key = tuple[str, int]


@dataclass(frozen=True)
class ExperimentEvaluator:
    """Level-triggered: any number of control APIs may do it, and one that was killed does it again."""

    models: ModelsServices

    async def run(self) -> None:
        """Look forever."""
        await self.models.statuses.synced.wait()
        await every(_LOOK_EVERY_SECONDS, self.look, failed="experiments_not_judged", catches=SQLAlchemyError)

    async def look(self) -> None:
        """Look at each that is due."""
        for key in await self.models.transactions.read(_due):
            await self._look_at(key)

    async def _look_at(self, key: _Key) -> None:
        live = self.models.statuses.get(key[0])
        transactions = self.models.transactions
        if not await transactions.write(partial(_take, key=key, live=live)):
            return
        started, now = time.monotonic(), utc_now()
        counted = await transactions.read(partial(_counted, key=key, now=now))
        if counted is not None:
            idle = max(_LEAST_SECONDS_BETWEEN, _IDLE_SHARE * (time.monotonic() - started))
            await transactions.write(
                partial(_note, key=key, counted=counted, now=now, idle=timedelta(seconds=idle), live=live)
            )


def _due(session: Session) -> list[_Key]:
    query = select(ExperimentRow.model_id, ExperimentRow.number).where(
        ExperimentRow.state.in_(("starting", "running")), ExperimentRow.look_at <= utc_now()
    )
    return [(model_id, number) for model_id, number in session.execute(query.order_by(ExperimentRow.look_at))]


def _take(session: Session, key: _Key, live: MLModel | None) -> bool:
    """Note that it is looked at, or from when on rows count. False: nothing is to be counted now."""
    experiment, now = _find(session, key), utc_now()
    if experiment is None or experiment.look_at > now:
        return False
    if experiment.state == "running":
        experiment.look_at = now + _LEASE
        return True
    if experiment.state == "starting" and _has_the_traffic(experiment, live):
        experiment.state, experiment.started_at = "running", now + _HEARD
        experiment.look_at = now + _HEARD
    return False


def _has_the_traffic(experiment: ExperimentRow, live: MLModel | None) -> bool:
    return (
        live is not None
        and served_traffic(live) == experiment.arms
        and live.spec.sticky == terms_of(experiment).unit
        and live.spec.feedback is not None
    )


def _counted(session: Session, key: _Key, now: datetime) -> Counted | None:
    experiment = session.get(ExperimentRow, key)
    if experiment is None or experiment.started_at is None:
        return None
    return count(session, experiment, terms_of(experiment), start=experiment.started_at, end=now)


def _note(
    session: Session, key: _Key, *, counted: Counted, now: datetime, idle: timedelta, live: MLModel | None
) -> None:
    # The model first, as all who change both have it.
    row = repository.find_locked(session, key[0])
    experiment = _find(session, key)
    if row is None or experiment is None or experiment.state != "running":
        return
    terms = terms_of(experiment)
    note_look(experiment, terms, counted, now)
    experiment.look_at = utc_now() + idle
    if experiment.state == "running":
        return
    if terms.winner_takes_all:
        _move_traffic(session, row, experiment, terms, live)
    if experiment.decided_at is not None:
        _tell(session, row, experiment)


def _tell(session: Session, row: ModelRow, experiment: ExperimentRow) -> None:
    log.info("experiment_decided", model=row.id, experiment=experiment.number, verdict=experiment.verdict)
    found = {"experiment": experiment.number, "state": experiment.state, "arms": experiment.arms}
    fact = Fact(
        type="experiment.decided",
        key=str(experiment.number),
        summary=experiment.verdict,
        version=experiment.winner,
        more=found,
    )
    events.record(session, Subject(row.owner_id, row.id, row.name), fact)


def _move_traffic(
    session: Session, row: ModelRow, experiment: ExperimentRow, terms: Terms, live: MLModel | None
) -> None:
    """To the winner, or to the control where there is none. Who is down now gets it once it is up again."""
    version = experiment.winner or terms.control
    if version_view(version, live).status != "ready":
        experiment.state, experiment.winner, experiment.decided_at = "running", None, None
        return
    state = "promoted" if experiment.winner else "inconclusive"
    end(session, None, row, experiment, state=state, version=version, live=live)


def _find(session: Session, key: _Key) -> ExperimentRow | None:
    query = select(ExperimentRow).where(ExperimentRow.model_id == key[0], ExperimentRow.number == key[1])
    return session.scalar(query.options(undefer(ExperimentRow.looks)).with_for_update())
