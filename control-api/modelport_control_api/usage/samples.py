"""Who reads what gateways send as best effort: each kind of sample has its handler."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import structlog
from modelport_telemetry.usage.samples import Sample
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from modelport_control_api.db.session import Database
from modelport_control_api.usage.metrics import SAMPLES_LOST

log = structlog.get_logger(__name__)

Handler = Callable[[Session, list[bytes]], None]
"""Writes payloads, in a transaction of its own. Raises ValueError if one of them is none of its kind."""

Handlers = Mapping[str, Handler]


def dispatch(database: Database, handlers: Handlers, samples: Sequence[Sample]) -> None:
    """Give each handler its payloads. Blocks. What cannot be written is counted, and raises nothing."""
    by_kind: dict[str, list[bytes]] = defaultdict(list)
    for sample in samples:
        by_kind[sample.kind].append(sample.payload)
    for kind, payloads in by_kind.items():
        # Kinds come from outside: a metric's label must not.
        known = handlers.get(kind)
        if known is None or not _write(database, known, payloads, kind):
            SAMPLES_LOST.labels(kind if known else "unknown").inc(len(payloads))


def _write(database: Database, handler: Handler, payloads: list[bytes], kind: str) -> bool:
    try:
        with database.transaction() as session:
            handler(session, payloads)
    except (SQLAlchemyError, OSError, ValueError) as error:
        log.warning("samples_not_written", kind=kind, samples=len(payloads), error=repr(error))
        return False
    return True
