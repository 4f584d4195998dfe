"""Predicted rows become units of an experiment's arms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from modelport_evidence.units import ArmCounts, Units
from sqlalchemy.orm import Session

from modelport_control_api.ground_truth.reading import observations
from modelport_control_api.ground_truth.values import values_of


@dataclass(frozen=True)
class Counted:
    """`units_in_several`: no arm's."""

    arms: Mapping[str, ArmCounts]
    units_in_several: int
    rows_without_unit: int


def count(
    session: Session,
    model_id: str,
    arms: frozenset[str],
    metrics: frozenset[str],
    *,
    start: datetime,
    end: datetime,
) -> Counted:
    """Count what the arms predicted from `start` to before `end`, with all feedback that came by now."""
    units, without = Units(summed=frozenset({"reward"})), 0
    for row in observations(session, model_id, start, end):
        if row.version not in arms:
            continue
        if not row.unit:
            without += 1
            continue
        units.add(row.unit, row.version, values_of(row, metrics))
    return Counted(units.counted(metrics), units.in_several, without)
