"""Evaluates, in the background, versions that new rows were counted of."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import structlog
from modelport_process.background import every
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database
from modelport_control_api.drift import repository
from modelport_control_api.drift.evaluation.evaluate import evaluate
from modelport_control_api.drift.profiles.profile import from_json, match
from modelport_control_api.drift.records import DriftThresholds, FeatureResult, write_results
from modelport_control_api.drift.tables import DriftCountsRow, DriftReferenceRow, DriftStateRow
from modelport_control_api.ground_truth.calibrations import effects_of
from modelport_control_api.monitoring import telling
from modelport_control_api.monitoring.wiring import DriftServices
from modelport_control_api.registry.tables import ModelRow

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 3.0
_SWEEP_SECONDS = 3600.0


class Evaluator:
    """Any number of control APIs may do it at once: each takes versions that no other has at hand."""

    def __init__(self, database: Database, services: DriftServices, *, retention_days: int) -> None:
        self._database = database
        self._services = services
        self._retention = timedelta(days=retention_days)
        self._swept = -_SWEEP_SECONDS

    async def run(self) -> None:
        """Go on until cancelled."""
        await every(
            _EVERY_SECONDS,
            self._evaluate_and_sweep,
            failed="data_drift_not_evaluated",
            catches=SQLAlchemyError,
        )

    async def _evaluate_and_sweep(self) -> None:
        await asyncio.to_thread(self.evaluate_pending)
        await asyncio.to_thread(self._sweep_now_and_then)

    def evaluate_pending(self) -> int:
        """Return how many versions were evaluated. Blocking."""
        with self._database.transaction(read_only=True) as session:
            pending = repository.pending_references(session)
        for reference in pending:
            self._evaluate_one(reference)
        return len(pending)

    def _evaluate_one(self, reference: str) -> None:
        try:
            with self._database.transaction() as session:
                self._evaluate(session, reference)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - logged; one version must not keep all others from their turn
            log.error("data_drift_evaluation_failed", reference=reference, error=repr(error))

    def _evaluate(self, session: Session, reference_id: str) -> None:
        state = session.scalars(
            select(DriftStateRow)
            .where(DriftStateRow.reference_id == reference_id, DriftStateRow.pending)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        reference = session.get(DriftReferenceRow, reference_id) if state else None
        model = session.get(ModelRow, state.model_id) if state else None
        if state is None or reference is None or model is None:
            return
        limits = self._services.thresholds_of(
            DriftThresholds(model.drift_psi_threshold, model.drift_alpha, model.drift_window_rows)
        )
        state.pending, state.wanted_rows = False, limits.window_rows
        minutes = repository.newest(session, reference_id, limits.window_rows)
        live = repository.counted(minutes)
        if live.rows < limits.window_rows:
            if state.state == "collecting":
                state.rows = live.rows
            return
        profile = from_json(reference.profile)
        matched = match(profile, self._services.signature_of(state.model_id, state.number))
        effects = effects_of(session, state.model_id, state.number, reference_id)
        results = evaluate(matched, live, limits, reference_rows=profile.rows, effects=effects)
        state.rows, was = live.rows, state.state
        conclude(state, minutes, results)
        telling.tell_if_changed(session, model, state, was)

    def _sweep_now_and_then(self) -> None:
        if time.monotonic() - self._swept < _SWEEP_SECONDS:
            return
        oldest = int((datetime.now(UTC) - self._retention).timestamp()) // 60
        while True:
            with self._database.transaction() as session:
                if not repository.remove_before(session, oldest):
                    break
        self._swept = time.monotonic()


def conclude(state: DriftStateRow, minutes: list[DriftCountsRow], results: list[FeatureResult]) -> None:
    """Note what a full window shows. From drift to ok it takes a whole window after the last that drifted."""
    state.window_start, state.window_end = minutes[-1].minute, minutes[0].minute + 1
    state.results = write_results(results)
    if any(result.drifts for result in results):
        state.clean_from = state.window_end
        found = "drift"
    elif state.state == "drift" and state.window_start < (state.clean_from or 0):
        found = "drift"
    else:
        found = "ok"
    if found != state.state:
        log.info(
            "data_drift_changed", model=state.model_id, version=f"v{state.number}", was=state.state, now=found
        )
        state.state, state.since = found, utc_now()
