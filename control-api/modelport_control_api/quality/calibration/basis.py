"""What each version is calibrated by: what was uploaded, or else the newest labels that are in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from modelport_control_api.ground_truth.calibrations import CalibrationRow
from modelport_control_api.ground_truth.reading import newest_labelled
from modelport_control_api.quality import rows
from modelport_control_api.quality.calibration import repository
from modelport_control_api.quality.curves import Calibration
from modelport_control_api.quality.rows import Columns, Signatures

_MOST_LABELS = 20_000


@dataclass(frozen=True, slots=True)
class Basis:
    """`created_at`: of an upload."""

    of: Calibration | Columns
    created_at: datetime | None = None


def bases(
    session: Session, model_id: str, versions: Mapping[str, Columns], signatures: Signatures
) -> dict[str, Basis]:
    """Return those of versions that give probabilities."""
    uploaded = repository.of_model(session, model_id)
    found = {
        name: _basis(session, model_id, name, uploaded.get(name), signatures)
        for name, columns in versions.items()
        if columns.scored
    }
    return {name: basis for name, basis in found.items() if basis is not None}


def _basis(
    session: Session, model_id: str, name: str, uploaded: CalibrationRow | None, signatures: Any
) -> Basis | None:
    if uploaded is not None:
        return Basis(Calibration.of_json(uploaded.curves, uploaded.rows), uploaded.created_at)
    labelled = newest_labelled(session, model_id, name, _MOST_LABELS)
    columns = rows.read(labelled, lambda _: 0, signatures).versions.get(name)
    return None if columns is None else Basis(columns)
