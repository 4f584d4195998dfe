"""The calls on versions and traffic of docs/api.md."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import StrictInt
from sqlalchemy.orm import Session
from starlette.responses import PlainTextResponse, StreamingResponse

from modelport_control_api.http.bodies import StrictJsonRoute
from modelport_control_api.http.context import get_context
from modelport_control_api.http.responses import CREDENTIAL, JSON_BODY, UPLOAD, problems
from modelport_control_api.models import artifact, logs, retrying
from modelport_control_api.models.access import (
    ChangingCaller,
    Models,
    Reader,
    Renderer,
    limit_uploads,
    load_model,
    members_of,
)
from modelport_control_api.models.endpoints import WaitSeconds
from modelport_control_api.models.render import render_version
from modelport_control_api.models.requirements import sbom
from modelport_control_api.models.schemas import ModelAnswer, VersionAnswer, VersionRetry
from modelport_control_api.models.upload_openapi import VERSION_UPLOAD_BODY
from modelport_control_api.models.uploads import rollout_of, version_form
from modelport_control_api.registry import replacing, traffic, version_deletion
from modelport_control_api.registry.errors import ArtifactElsewhere, VersionNotFound
from modelport_control_api.registry.records import ModelRecord, VersionRecord

router = APIRouter(
    prefix="/api/v1/models/{model_id}",
    tags=["versions"],
    route_class=StrictJsonRoute,
    responses=problems(*CREDENTIAL, 404),
)

Weights = Annotated[
    dict[str, StrictInt],
    Body(description="Version to percent; sums to 100.", examples=[{"v1": 90, "v2": 10}]),
]
TailLines = Annotated[int, Query(alias="tail", ge=1, le=logs.MAX_LINES, description="Lines of each replica.")]


@router.post(
    "/versions",
    status_code=202,
    openapi_extra=VERSION_UPLOAD_BODY,
    dependencies=[Depends(limit_uploads)],
    responses=problems(*UPLOAD, 409),
)
async def upload_version(
    model_id: str, request: Request, response: Response, caller: ChangingCaller, services: Models
) -> VersionAnswer:
    """Upload a new version, or join some that are there.

    Once it has predicted its sample it gets the share `traffic` of the requests.
    They stay where they are with `traffic=0`, and without `force=true` if it lacks what callers of the
    version that serves depend on (`SignatureChanged`).
    """
    settings = get_context(request).settings
    form = version_form(settings.max_upload_bytes, settings.max_reference_bytes)
    # Checked before the body is read: nobody uploads 100 MB to learn that the id is wrong.
    known = await load_model(services, caller.principal, model_id)
    if known.managed_by == "kubectl":
        raise services.reader.read_only(model_id)
    await services.require_quota(known.owner_id or caller.principal.user_id, models=0)
    members = members_of(services, caller.principal)
    async with services.uploads.receiving(request, form, members) as staged:

        def add(session: Session) -> tuple[ModelRecord, set[str]]:
            return replacing.add_version(
                session,
                caller,
                model_id,
                staged.version,
                limits=services.limits,
                rollout=rollout_of(staged.texts),
                live=services.statuses.get(model_id),
            )

        record, unneeded = await services.uploads.commit(staged, add)
        await services.note_reference(model_id, record.versions[-1].number, staged.reference)
    await services.keeper.discard(unneeded)
    version = record.versions[-1]
    response.headers["Location"] = f"/api/v1/models/{model_id}/versions/{version.name}"
    return render_version(services.reader.look(record), version)


@router.get("/versions/{version}", responses=problems(422))
async def read_version(
    model_id: str, version: str, principal: Reader, services: Models, wait_seconds: WaitSeconds = 0
) -> VersionAnswer:
    """One version; with `wait`, once it is ready or failed, or when the time is over."""
    record = await load_model(services, principal, model_id)
    _find(services.reader.look(record).record, version)
    await services.statuses.wait_until(
        model_id, lambda: services.reader.look(record).version_view(version).settled, wait_seconds
    )
    seen = services.reader.look(await load_model(services, principal, model_id) if wait_seconds else record)
    return render_version(seen, _find(seen.record, version))


@router.get("/versions/{version}/logs", response_class=PlainTextResponse, responses=problems(409, 422, 503))
async def read_version_logs(
    *,
    model_id: str,
    version: str,
    principal: Reader,
    services: Models,
    tail: TailLines = 200,
    batch: Annotated[bool, Query(description="Of the processes that do batch jobs.")] = False,
) -> str:
    """What the version's code printed, and its traces."""
    record = await load_model(services, principal, model_id)
    seen = services.reader.look(record)
    _find(seen.record, version)
    kept = "" if batch else seen.last_log(version)
    return await logs.read_logs(
        services.cluster, services.namespace, model_id, version, tail_lines=tail, kept=kept, batch=batch
    )


@router.get(
    "/versions/{version}/artifact",
    response_class=StreamingResponse,
    responses={**problems(409, 422), 200: {"content": {"application/octet-stream": {}}}},
)
async def download_artifact(
    model_id: str, version: str, principal: Reader, services: Models
) -> StreamingResponse:
    """The version's model file, as it was uploaded."""
    # As the database has it: a digest that somebody wrote into the cluster may be of another user's file.
    record = await load_model(services, principal, model_id)
    if record.managed_by == "kubectl":
        raise ArtifactElsewhere
    return await artifact.download(services.store, model_id, _find(record, version))


@router.get(
    "/versions/{version}/sbom",
    response_class=Response,
    responses={**problems(409, 422), 200: {"content": {"application/vnd.cyclonedx+json": {}}}},
)
async def read_sbom(model_id: str, version: str, principal: Reader, services: Models) -> Response:
    """What the version runs with, as a bill of materials (CycloneDX): of its environment all packages.

    409: it runs with the platform's own libraries, which are no list of its own.
    """
    # As the database has it: a digest that somebody wrote into the cluster may be of another user's file.
    record = await load_model(services, principal, model_id)
    found = _find(record, version)
    return sbom.respond(f"{model_id}-{version}", await sbom.packages_of(services.store, found))


@router.post(
    "/versions/{version}/retry",
    status_code=202,
    dependencies=[Depends(limit_uploads)],
    responses=problems(*JSON_BODY, 409, 429),
)
async def retry_version(
    *,
    model_id: str,
    version: str,
    wanted: VersionRetry,
    response: Response,
    caller: ChangingCaller,
    services: Models,
) -> VersionAnswer:
    """Try the file of a failed version again, as a new version in its place: with another sample, or in
    another environment."""
    record = await retrying.retry(
        services,
        caller,
        model_id,
        version,
        sample=wanted.sample,
        keep_sample="sample" not in wanted.model_fields_set,
        environment=wanted.environment,
    )
    added = record.versions[-1]
    response.headers["Location"] = f"/api/v1/models/{model_id}/versions/{added.name}"
    return render_version(services.reader.look(record), added)


@router.delete("/versions/{version}", status_code=204, response_class=Response, responses=problems(409))
async def delete_version(model_id: str, version: str, caller: ChangingCaller, services: Models) -> None:
    """Remove a version that gets no requests, and its file."""
    live = services.statuses.get(model_id)
    with services.reader.changing(caller.principal, model_id):
        digests = await services.transactions.write(
            lambda session: version_deletion.delete_version(session, caller, model_id, version, live)
        )
    await services.keeper.discard(digests)


@router.put("/traffic", responses=problems(*JSON_BODY, 409))
async def set_traffic(
    *,
    model_id: str,
    weights: Weights,
    caller: ChangingCaller,
    services: Models,
    renderer: Renderer,
    force: Annotated[bool, Query(description="Also to versions that lack what callers depend on.")] = False,
) -> ModelAnswer:
    """Share the requests between versions that are ready: each is drawn, unless the model is `sticky`.

    One that gets none now and lacks what callers of the others depend on is refused (`SignatureChanged`, with
    `differences`), unless `force=true`.
    """
    live = services.statuses.get(model_id)
    with services.reader.changing(caller.principal, model_id):
        record = await services.transactions.write(
            lambda session: traffic.set_traffic(session, caller, model_id, weights, live, force=force)
        )
    return renderer.model(record)


@router.post("/rollback", responses=problems(409))
async def roll_back(
    model_id: str, caller: ChangingCaller, services: Models, renderer: Renderer
) -> ModelAnswer:
    """Restore the traffic before the last change; a second call takes the first one back."""
    live = services.statuses.get(model_id)
    with services.reader.changing(caller.principal, model_id):
        record = await services.transactions.write(
            lambda session: traffic.roll_back(session, caller, model_id, live)
        )
    return renderer.model(record)


def _find(record: ModelRecord, name: str) -> VersionRecord:
    version = record.version(name)
    if version is None:
        raise VersionNotFound(f"The model has no version {name}.")
    return version
