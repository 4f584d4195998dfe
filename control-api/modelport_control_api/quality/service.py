"""What is known of a model's quality, for its owner. Nobody else may see it, administrators included."""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from modelport_control_api.analytics.query import Query, Range, resolve
from modelport_control_api.db.base import utc_now
from modelport_control_api.ground_truth.reading import observations
from modelport_control_api.history.service import require_own
from modelport_control_api.identity import Principal
from modelport_control_api.quality import rows
from modelport_control_api.quality.rows import Reading
from modelport_control_api.quality.schemas import QualityAnswer
from modelport_control_api.quality.wiring import QualityServices


async def read_quality(
    services: QualityServices, principal: Principal, model_id: str, query: Query, version: str | None
) -> QualityAnswer:
    """Raises ModelNotFound or InvalidFields."""

    def read(session: Session) -> tuple[Range, Reading]:
        require_own(session, principal, model_id)
        range_ = resolve(query, utc_now(), {})
        return range_, _read(session, services, model_id, range_, version)

    async with services.turn:
        range_, reading = await services.models.transactions.read(read)
        return await run_in_threadpool(_answer, model_id, range_, reading)


def _read(
    session: Session, services: QualityServices, model_id: str, range_: Range, version: str | None
) -> Reading:
    first, last = (
        datetime.fromtimestamp(edge, UTC) for edge in (range_.boundaries[0], range_.boundaries[-1])
    )
    live = services.models.statuses.get(model_id)

    def signature_of(name: str) -> Mapping[str, Any] | None:
        known = live.status.version(name) if live else None
        return known.signature if known else None

    def bucket_of(moment: datetime) -> int:
        return bisect_right(range_.boundaries, moment.timestamp()) - 1

    found = observations(session, model_id, first, last, version=version, newest_first=True)
    return rows.read(found, bucket_of, signature_of)


def _answer(model_id: str, range_: Range, reading: Reading) -> QualityAnswer:
    # It imports scikit-learn: 150 MB that a platform without feedback never needs.
    from modelport_control_api.quality import render

    return render.answer(model_id, range_, reading)
