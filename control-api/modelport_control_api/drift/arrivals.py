"""What gateways counted, on its way into the database."""

from modelport_telemetry.usage import drift_counts
from sqlalchemy.orm import Session

from modelport_control_api.drift import repository


def write(session: Session, payloads: list[bytes]) -> None:
    """Raises ValueError if one of them is no `DriftCounts`."""
    repository.add_counts(session, [drift_counts.decode(payload) for payload in payloads])
