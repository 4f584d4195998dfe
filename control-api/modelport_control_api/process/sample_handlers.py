"""The handlers of all kinds of samples. A slice that reads one adds its line."""

from modelport_telemetry.usage import drift_counts, kept_prediction
from sqlalchemy.orm import Session

from modelport_control_api.disk import DiskReserve
from modelport_control_api.drift import arrivals as drift_arrivals
from modelport_control_api.history import arrivals
from modelport_control_api.usage.samples import Handler, Handlers


def build(reserve: DiskReserve) -> Handlers:
    by_kind: Handlers = {kept_prediction.KIND: arrivals.write, drift_counts.KIND: drift_arrivals.write}
    return {kind: _while_there_is_room(reserve, handler) for kind, handler in by_kind.items()}


def _while_there_is_room(reserve: DiskReserve, handler: Handler) -> Handler:
    """Best effort takes nothing of what is kept for logins, deletes and usage."""

    def write(session: Session, payloads: list[bytes]) -> None:
        reserve.require()
        handler(session, payloads)

    return write
