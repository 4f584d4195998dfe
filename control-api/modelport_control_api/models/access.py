"""What the endpoints of models need of a request: the caller, the parts behind, the response's shape."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from modelport_http.connections.allowed_hosts import Hosts
from modelport_http.rate_limiting import enforce
from sqlalchemy.orm import Session

from modelport_control_api.http.context import RequestOrigin, get_context, provide
from modelport_control_api.http.principal import forbidden, require
from modelport_control_api.identity import Caller, Principal
from modelport_control_api.models.ensembles.finding import Look
from modelport_control_api.models.model_view import ModelView
from modelport_control_api.models.render import render_model
from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry.errors import ModelNotFound
from modelport_control_api.registry.records import ModelRecord

_LOOPBACK = Hosts(())
_NAMESAKES = 5
Reader = Annotated[Principal, Depends(require("models:read"))]
Writer = Annotated[Principal, Depends(require("models:write"))]


Models = Annotated[ModelsServices, Depends(provide(ModelsServices))]


async def get_caller(principal: Writer, origin: RequestOrigin) -> Caller:
    """Return who calls and from where. The dependency lets pass only the scope `models:write`."""
    return Caller(principal, origin)


ChangingCaller = Annotated[Caller, Depends(get_caller)]


async def limit_uploads(request: Request, principal: Writer) -> None:
    """Raises a 429 problem, before a byte of the body is read."""
    context = get_context(request)
    await enforce(context.store, "upload", context.settings.limit_upload, principal.user_id)


@dataclass(frozen=True, slots=True)
class ModelRenderer:
    """Renders responses for one request. `base_url`: where users reach the platform; empty: where they sent
    it to.
    """

    services: ModelsServices
    base_url: str

    def model(self, record: ModelRecord) -> ModelAnswer:
        return render_model(self.services.reader.look(record), self.predict_url)

    def predict_url(self, model_id: str) -> str:
        return f"{self.base_url}/predict/{model_id}"


async def get_renderer(request: Request, services: Models) -> ModelRenderer:
    """Return the renderer. Its links are paths unless `public_url` is set or `Host` is a loopback name."""
    return ModelRenderer(services, _base_url(request, services).rstrip("/"))


def _base_url(request: Request, services: ModelsServices) -> str:
    """Empty where only the request itself names how the platform is called: its sender knows."""
    if services.public_url:
        return services.public_url
    return str(request.base_url) if _LOOPBACK.allow(request.headers.raw) else ""


Renderer = Annotated[ModelRenderer, Depends(get_renderer)]


async def load_model(services: ModelsServices, principal: Principal, model_id: str) -> ModelRecord:
    """Raises ModelNotFound."""

    def load(session: Session) -> ModelRecord:
        return services.reader.load(session, principal, model_id)

    return await services.transactions.read(load)


async def namesakes(
    services: ModelsServices, principal: Principal, name: str, *, but: str = ""
) -> list[ModelRecord]:
    """The newest of the caller's own models that are called so, without the one of the id `but`."""

    def read(session: Session) -> list[ModelRecord]:
        found = services.reader.own_of_name(session, principal, name, _NAMESAKES)
        return [each for each in found if each.id != but]

    return await services.transactions.read(read)


def members_of(services: ModelsServices, principal: Principal) -> Look:
    """Return what finds the members of an ensemble: models whose files the caller may download."""
    may_read = "models:read" in principal.scopes

    async def look(model_id: str) -> ModelView | None:
        if not may_read:
            raise forbidden("This API key lacks the scope models:read, which the files of members need.")
        try:
            return services.reader.look(await load_model(services, principal, model_id))
        except ModelNotFound:
            return None

    return look
