"""Uploaded calibrations, in and out of one transaction."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.ground_truth.calibrations import CalibrationRow
from modelport_control_api.quality.calibration.fitting import Fitted


def put(session: Session, model_id: str, number: int, fitted: Fitted) -> CalibrationRow:
    """In place of the one before."""
    remove(session, model_id, number)
    row = CalibrationRow(
        model_id=model_id,
        number=number,
        rows=fitted.calibration.rows,
        curves=fitted.calibration.as_json(),
        effects=dict(fitted.effects),
        reference_id=fitted.reference_id,
    )
    session.add(row)
    session.flush()
    return row


def remove(session: Session, model_id: str, number: int) -> bool:
    """Return whether there was one."""
    row = session.get(CalibrationRow, (model_id, number))
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def of_model(session: Session, model_id: str) -> dict[str, CalibrationRow]:
    """Return them by their versions' names."""
    rows = session.scalars(select(CalibrationRow).where(CalibrationRow.model_id == model_id))
    return {f"v{row.number}": row for row in rows}
