"""The calls on whole models of docs/api.md."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.orm import Session

from modelport_control_api.http.bodies import Line, StrictJsonRoute
from modelport_control_api.http.context import PageCursor, PageLimit, get_context
from modelport_control_api.http.responses import CREDENTIAL, JSON_BODY, UPLOAD, problems
from modelport_control_api.identity import Principal
from modelport_control_api.models.access import (
    ChangingCaller,
    Models,
    Reader,
    Renderer,
    limit_uploads,
    load_model,
    members_of,
    namesakes,
)
from modelport_control_api.models.schemas import (
    MOST_TAGS,
    ModelAnswer,
    ModelChange,
    ModelPage,
    SameName,
    Tag,
    UploadedModel,
)
from modelport_control_api.models.upload_openapi import MODEL_UPLOAD_BODY
from modelport_control_api.models.uploads import NAME_CHARACTERS, model_form
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry import service
from modelport_control_api.registry.errors import KeyRestricted
from modelport_control_api.registry.records import ModelRecord

router = APIRouter(
    prefix="/api/v1/models",
    tags=["models"],
    route_class=StrictJsonRoute,
    responses=problems(*CREDENTIAL),
)

WaitSeconds = Annotated[
    float,
    Query(alias="wait", ge=0, le=60, description="Seconds to hold until nothing is in progress any more."),
]
WantedTags = Annotated[
    list[Tag] | None,
    Query(
        alias="tag", max_length=MOST_TAGS, description="Of those with this tag; several: with all of them."
    ),
]

OfName = Annotated[
    Line | None, Query(max_length=NAME_CHARACTERS, description="Only models that are called so.")
]


@router.post(
    "/upload",
    status_code=202,
    openapi_extra=MODEL_UPLOAD_BODY,
    dependencies=[Depends(limit_uploads)],
    responses=problems(*UPLOAD, 409),
)
async def upload_model(
    request: Request, response: Response, caller: ChangingCaller, services: Models, renderer: Renderer
) -> UploadedModel:
    """Upload a model file, or join versions that are there, and get an endpoint.

    It serves once the model has predicted its sample.
    """
    settings = get_context(request).settings
    form = model_form(settings.max_upload_bytes, settings.max_reference_bytes)
    _require_unrestricted(caller.principal)
    await services.require_quota(caller.principal.user_id, models=1)
    members = members_of(services, caller.principal)
    async with services.uploads.receiving(request, form, members) as staged:
        record = await services.uploads.commit(
            staged, lambda session: staged.make_model(session, caller, services.limits)
        )
        await services.note_reference(record.id, record.versions[-1].number, staged.reference)
    response.headers["Location"] = f"/api/v1/models/{record.id}"
    others = await namesakes(services, caller.principal, record.name, but=record.id)
    same_name = [SameName(id=each.id, status=services.reader.look(each).view.status) for each in others]
    return UploadedModel(**renderer.model(record).model_dump(), same_name=same_name)


@router.get("", responses=problems(422))
async def list_models(
    *,
    principal: Reader,
    services: Models,
    renderer: Renderer,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
    name: OfName = None,
    tags: WantedTags = None,
) -> ModelPage:
    """Your models, newest first; for an admin also those that were applied with kubectl."""

    def read(session: Session) -> tuple[list[ModelRecord], str | None]:
        return services.reader.page(session, principal, limit, cursor, name=name, tags=tags or ())

    records, next_cursor = await services.transactions.read(read)
    return ModelPage(items=[renderer.model(record) for record in records], next_cursor=next_cursor)


@router.get("/{model_id}", responses=problems(404, 422))
async def read_model(
    model_id: str, principal: Reader, services: Models, renderer: Renderer, wait_seconds: WaitSeconds = 0
) -> ModelAnswer:
    """One model; with `wait`, once it is ready, failed or degraded, or when the time is over."""
    record = await load_model(services, principal, model_id)
    if wait_seconds and not await _wait_until_settled(services, record, wait_seconds):
        return renderer.model(record)
    # Read again: it may have been changed or deleted meanwhile.
    return renderer.model(await load_model(services, principal, model_id) if wait_seconds else record)


@router.patch("/{model_id}", responses=problems(*JSON_BODY, 404, 409))
async def change_model(
    model_id: str, change: ModelChange, caller: ChangingCaller, services: Models, renderer: Renderer
) -> ModelAnswer:
    """Change the name, description, tags, access, limits, acceleration, stickiness or history."""
    with services.reader.changing(caller.principal, model_id):
        record = await services.transactions.write(
            lambda session: service.change_model(session, caller, model_id, change.changes())
        )
    return renderer.model(record)


@router.post("/{model_id}/redeploy", status_code=202, responses=problems(404, 409))
async def redeploy_model(
    model_id: str, caller: ChangingCaller, services: Models, renderer: Renderer
) -> ModelAnswer:
    """Make the cluster as the API has the model again, after it was changed or deleted there by others."""
    with services.reader.changing(caller.principal, model_id):
        record = await services.transactions.write(
            lambda session: service.redeploy(session, caller, model_id)
        )
    return renderer.model(record)


@router.delete("/{model_id}", status_code=204, response_class=Response, responses=problems(404, 409))
async def delete_model(model_id: str, caller: ChangingCaller, services: Models) -> None:
    """Stop serving it and remove its files."""
    with services.reader.changing(caller.principal, model_id):
        digests = await services.transactions.write(
            lambda session: service.delete_model(session, caller, model_id)
        )
    await services.keeper.discard(digests)


async def _wait_until_settled(services: ModelsServices, record: ModelRecord, seconds: float) -> bool:
    def settled() -> bool:
        return services.reader.look(record).view.settled

    return await services.statuses.wait_until(record.id, settled, seconds)


def _require_unrestricted(principal: Principal) -> None:
    if principal.model_ids is not None:
        raise KeyRestricted(
            "This API key is for certain models only and cannot make another: use one without model_ids."
        )
