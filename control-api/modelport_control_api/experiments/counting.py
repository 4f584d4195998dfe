"""Predicted rows become units of an experiment's arms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from modelport_evidence.units import ArmCounts, Units
from sqlalchemy.orm import Session

from modelport_control_api.experiments.schemas import Terms
from modelport_control_api.ground_truth.reading import observations, units_before
from modelport_control_api.ground_truth.values import values_of
from modelport_control_api.registry.tables import ExperimentRow

_SUMMED = frozenset({"reward"})
_HISTORY = timedelta(days=14)


@dataclass(frozen=True)
class Counted:
    """`units_in_several`: no arm's."""

    arms: Mapping[str, ArmCounts]
    units_in_several: int
    rows_without_unit: int


def count(
    session: Session, experiment: ExperimentRow, terms: Terms, *, start: datetime, end: datetime
) -> Counted:
    """Count what the arms predicted from `start` to before `end`, with all feedback that came by now."""
    units, without = Units(summed=_SUMMED), 0
    for row in observations(session, experiment.model_id, start, end):
        if row.version not in experiment.arms:
            continue
        if not row.unit:
            without += 1
            continue
        units.add(row.unit, row.version, values_of(row, terms.metrics))
    before = _before(session, experiment, terms.metrics)
    return Counted(units.counted(terms.metrics, before), units.in_several, without)


def _before(session: Session, experiment: ExperimentRow, metrics: frozenset[str]) -> Units:
    """Return what units did before the traffic moved, while one version answered them all.

    Where several did, each unit was on one of them, as in the experiment: what it did was an effect of that.
    """
    units, version, end = Units(summed=_SUMMED), None, experiment.created_at
    for row in units_before(session, experiment.model_id, end - _HISTORY, end):
        if row.version != version:
            units, version = Units(summed=_SUMMED), row.version
        units.add(row.unit, row.version, values_of(row, metrics))
    return units
