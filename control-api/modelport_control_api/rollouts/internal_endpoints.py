"""What the operator queries to carry out a rollout, on the internal port."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from modelport_control_api.history.rows import newest_rows
from modelport_control_api.http.context import DbSession
from modelport_control_api.http.principal import PLATFORM_ONLY
from modelport_control_api.usage import evidence

router = APIRouter(prefix="/internal/v1/rollouts", dependencies=[PLATFORM_ONLY])

PublicId = Annotated[str, Query(max_length=127)]


class Evidence(BaseModel):
    """`counts`: step → counter → count."""

    counts: dict[str, dict[str, int]]


class KeptRows(BaseModel):
    rows: list[Any]


@router.get("/evidence")
def read_evidence(
    model: PublicId, rollout: Annotated[int, Query(ge=1, lt=2**31)], session: DbSession
) -> Evidence:
    """What the database has of this rollout; empty where nothing came yet."""
    return Evidence(counts=evidence.read(session, model, rollout))


@router.get("/rows")
def read_rows(model: PublicId, limit: Annotated[int, Query(ge=1, le=5000)], session: DbSession) -> KeptRows:
    """The newest kept rows of the model in which nothing was hidden; one of a request, as rows of one are
    alike."""
    return KeptRows(rows=newest_rows(session, model, limit=limit, of_each=1))
