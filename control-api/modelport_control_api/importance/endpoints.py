"""The calls on importance of docs/api.md."""

from fastapi import APIRouter

from modelport_control_api.http.responses import CREDENTIAL, problems
from modelport_control_api.identity import Principal
from modelport_control_api.importance import service
from modelport_control_api.importance.schemas import ImportanceAnswer
from modelport_control_api.importance.wiring import ImportanceOf, ImportanceServices
from modelport_control_api.models.access import Reader, Writer, load_model
from modelport_control_api.uploads.form import StorageFull

router = APIRouter(
    prefix="/api/v1/models/{model_id}/versions/{version}/importance",
    tags=["drift"],
    responses=problems(*CREDENTIAL, 404, 409),
)


@router.get("")
async def read_importance(
    model_id: str, version: str, principal: Reader, services: ImportanceOf
) -> ImportanceAnswer:
    """Which columns its predictions depend on: the mean absolute contribution of each."""
    record = await load_model(services.models, principal, model_id)
    return await service.read(services.models, record, version)


@router.post("", status_code=202)
async def compute_importance(
    model_id: str, version: str, principal: Writer, services: ImportanceOf
) -> ImportanceAnswer:
    """Compute it in the background, of the newest predictions that are kept, in place of what was there."""
    return await compute(services, principal, model_id, version)


async def compute(
    services: ImportanceServices, principal: Principal, model_id: str, version: str
) -> ImportanceAnswer:
    """Begin, from history. Raises ModelNotFound, VersionNotFound, NoImportance, StorageFull."""
    models = services.models
    record = await load_model(models, principal, model_id)
    found = service.find_version(record, version)
    service.require_contributions(models, model_id, version)
    data, rows = await models.transactions.read(
        lambda session: service.rows_of_history(session, principal, record, found)
    )
    if not models.reserve.has_room():
        raise StorageFull("The platform's disk has no room for the rows. Delete some files, or try it later.")
    await services.samples.begin(model_id, found.number, "history", data, rows)
    return await service.read(models, record, version)
