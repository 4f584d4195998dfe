"""What every page about models needs of a request: who is there, the services behind, and how it responds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from modelport_http.problem import Problem
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from modelport_control_api.http.context import Context, RequestContext, RequestOrigin
from modelport_control_api.identity import Caller, Origin, Principal
from modelport_control_api.models.access import ModelRenderer, Models, Renderer, load_model
from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.ui.cookies import read_time_zone
from modelport_control_api.ui.rendering import redirect, render
from modelport_control_api.ui.signed_in import CurrentSignedIn, SignedIn

T = TypeVar("T")
MOST_SHOWN = 200
"""Models in one list."""


@dataclass(frozen=True, slots=True)
class Visit:
    request: Request
    signed_in: SignedIn
    context: Context
    services: ModelsServices
    renderer: ModelRenderer
    origin: Origin

    @property
    def principal(self) -> Principal:
        return self.signed_in.principal

    @property
    def caller(self) -> Caller:
        return Caller(self.principal, self.origin)

    @property
    def time_zone(self) -> str:
        """Where the person's days begin: an IANA name."""
        return read_time_zone(self.request)

    async def record(self, model_id: str) -> ModelRecord:
        """Raises a 404 problem for what is not there or somebody else's."""
        return await load_model(self.services, self.principal, model_id)

    async def model(self, model_id: str) -> ModelAnswer:
        """Raises a 404 problem for what is not there or somebody else's."""
        return self.renderer.model(await self.record(model_id))

    async def newest(self) -> tuple[list[ModelRecord], bool]:
        """Return the visitor's models, newest first, `MOST_SHOWN` at most, to an admin those of kubectl too;
        and whether there are more.
        """

        def read(session: Session) -> tuple[list[ModelRecord], str | None]:
            return self.services.reader.page(session, self.principal, MOST_SHOWN, None)

        records, next_cursor = await self.services.transactions.read(read)
        return records, next_cursor is not None

    async def change(self, model_id: str, work: Callable[[Session], T]) -> T:
        """Run `work` in one transaction. Raises problems, that of a model applied with kubectl too."""
        with self.services.reader.changing(self.principal, model_id):
            return await self.services.transactions.write(work)

    async def steer(
        self, model_id: str, work: Callable[[Session], T], there: str, said: Callable[[T], str]
    ) -> Response:
        """`change`, and go `there` with what is said of the result, or with why it was refused."""
        try:
            done = await self.change(model_id, work)
        except Problem as problem:
            if problem.status not in (409, 422):
                raise
            return redirect(self.request, there, problem.detail, "bad")
        return redirect(self.request, there, said(done))

    def page(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        return render(self.request, template, status=status, **context)


async def get_visit(  # noqa: PLR0917 - FastAPI gives each of them; they are one thing from here on
    request: Request,
    signed_in: CurrentSignedIn,
    context: RequestContext,
    services: Models,
    renderer: Renderer,
    origin: RequestOrigin,
) -> Visit:
    """The dependency. It lets pass only users who are signed in, as `require_sign_in`."""
    return Visit(request, signed_in, context, services, renderer, origin)


CurrentVisit = Annotated[Visit, Depends(get_visit)]
