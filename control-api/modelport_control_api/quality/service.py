"""What is known of a model's quality, for its owner. Nobody else may see it, administrators included."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from modelport_control_api.analytics.query import Query, Range, resolve
from modelport_control_api.db.base import utc_now
from modelport_control_api.ground_truth.reading import observations
from modelport_control_api.history.service import require_own
from modelport_control_api.identity import Principal
from modelport_control_api.quality import rows
from modelport_control_api.quality.calibration.basis import Basis, bases
from modelport_control_api.quality.rows import Reading, Signatures
from modelport_control_api.quality.schemas import QualityAnswer
from modelport_control_api.quality.wiring import QualityServices


async def read_quality(
    services: QualityServices, principal: Principal, model_id: str, query: Query, version: str | None
) -> QualityAnswer:
    """Raises ModelNotFound or InvalidFields."""

    def check(session: Session) -> None:
        require_own(session, principal, model_id)

    return await quality_of(services, model_id, query, version, check)


async def quality_of(
    services: QualityServices,
    model_id: str,
    query: Query,
    version: str | None = None,
    check: Callable[[Session], None] | None = None,
) -> QualityAnswer:
    """Return it, of all versions or of one. check: raises if it may not be read. Raises InvalidFields."""
    signatures = partial(services.signature_of, model_id)

    def read(session: Session) -> tuple[Range, Reading, dict[str, Basis]]:
        if check is not None:
            check(session)
        range_ = resolve(query, utc_now(), {})
        reading = _read(session, model_id, range_, version, signatures)
        return range_, reading, bases(session, model_id, reading.versions, signatures)

    async with services.turn:
        found = await services.models.transactions.read(read)
        return await run_in_threadpool(_answer, model_id, *found)


def _read(
    session: Session, model_id: str, range_: Range, version: str | None, signatures: Signatures
) -> Reading:
    first, last = (
        datetime.fromtimestamp(edge, UTC) for edge in (range_.boundaries[0], range_.boundaries[-1])
    )

    def bucket_of(moment: datetime) -> int:
        return bisect_right(range_.boundaries, moment.timestamp()) - 1

    found = observations(session, model_id, first, last, version=version, newest_first=True)
    return rows.read(found, bucket_of, signatures)


def _answer(model_id: str, range_: Range, reading: Reading, bases: Mapping[str, Basis]) -> QualityAnswer:
    # It imports scikit-learn: 150 MB that a platform without feedback never needs.
    from modelport_control_api.quality import render

    return render.answer(model_id, range_, reading, bases)
