"""One user, for administrators: limits, role, state, a link for a new password, models, the end."""

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from modelport_http.problem import Problem
from modelport_http.wording import counted

from modelport_control_api.accounts.wiring import Accounts
from modelport_control_api.admin import service
from modelport_control_api.admin.schemas import UserChange, UserEntry
from modelport_control_api.admin.users import Administration, ModelsFate
from modelport_control_api.batch.wiring import Batch
from modelport_control_api.http.context import RequestOrigin
from modelport_control_api.identity import Caller
from modelport_control_api.models.access import Models
from modelport_control_api.ui.browser import address_of
from modelport_control_api.ui.forms import Form, parse, read_values
from modelport_control_api.ui.rendering import redirect, render
from modelport_control_api.ui.signed_in import AdminSignedIn, require_admin

router = APIRouter(prefix="/ui/admin/users", include_in_schema=False, dependencies=[Depends(require_admin)])
_MEGABYTE = 1_000_000
_LINK_HOURS = 24
CONFIRMATION = "must be the account's e-mail address, letter by letter"


@dataclass(frozen=True, slots=True)
class UserVisit:
    """An administrator at the page of one user. `values`: the form that was sent."""

    request: Request
    admin: Administration
    user: UserEntry
    values: Mapping[str, Any]

    def page(
        self, *, limits: Form | None = None, form: Form | None = None, status: int = 200, **shown: Any
    ) -> Response:
        """`limits`: the form with the limits; `form`: all others."""
        return render(
            self.request,
            "admin/user.html",
            status=status,
            user=self.user,
            limits_form=limits or _limits_form(self.user),
            form=form or Form(),
            limits=self.admin.models.limits,
            is_own=self.user.id == self.admin.caller.principal.user_id,
            **{"link": None, **shown},
        )

    def refused(self, problem: Problem, *, receiver: str = "to") -> Response:
        """`receiver`: the field that names who gets the models."""
        form = Form(self.values).refused_by(problem).renamed({"to": receiver})
        return self.page(form=form, status=problem.status)

    async def do(self, work: Coroutine[Any, Any, object], message: str) -> Response:
        """Stay on the page, with the message or with what is wrong."""
        try:
            await work
        except Problem as problem:
            return self.refused(problem)
        return redirect(self.request, f"/ui/admin/users/{self.user.id}", message)


async def get_visit(  # noqa: PLR0917 - FastAPI gives each of them; they are one thing from here on
    user_id: str,
    request: Request,
    signed_in: AdminSignedIn,
    origin: RequestOrigin,
    accounts: Accounts,
    models: Models,
    batch: Batch,
) -> UserVisit:
    """The dependency. It lets pass only administrators, and raises a 404 problem for no user."""
    admin = Administration(Caller(signed_in.principal, origin), accounts, models, batch)
    user = await service.user(models, user_id)
    return UserVisit(request, admin, user, await read_values(request))


Visit = Annotated[UserVisit, Depends(get_visit)]


@router.get("/{user_id}")
async def show_user(visit: Visit) -> Response:
    return visit.page()


@router.post("/{user_id}")
async def change_limits(visit: Visit) -> Response:
    parsed = parse(UserChange, _as_body(visit.values), shown=visit.values)
    if parsed.body is None:
        return visit.page(limits=parsed.form.renamed(_FIELDS), status=422)
    await visit.admin.change(visit.user.id, parsed.body)
    return redirect(visit.request, "/ui/admin/users", f"The limits of {visit.user.email} are saved.")


@router.post("/{user_id}/role")
async def change_role(visit: Visit) -> Response:
    is_admin = visit.values.get("is_admin") == "true"
    word = "an administrator now" if is_admin else "no administrator any more"
    change = visit.admin.change(visit.user.id, UserChange(is_admin=is_admin))
    return await visit.do(change, f"{visit.user.email} is {word}.")


@router.post("/{user_id}/state")
async def change_state(visit: Visit) -> Response:
    disabled = visit.values.get("disabled") == "true"
    word = "disabled" if disabled else "enabled"
    change = visit.admin.change(visit.user.id, UserChange(disabled=disabled))
    return await visit.do(change, f"The account of {visit.user.email} is {word}.")


@router.post("/{user_id}/password-link")
async def make_password_link(visit: Visit) -> Response:
    try:
        link = await visit.admin.make_password_link(visit.user.id, _LINK_HOURS, address_of(visit.request))
    except Problem as problem:
        return visit.refused(problem)
    return visit.page(link=link)


@router.post("/{user_id}/transfer")
async def transfer_models(visit: Visit) -> Response:
    to = visit.values.get("to", "").strip()
    words = f"{counted(visit.user.models, 'model')} of {visit.user.email} now {to}'s"
    return await visit.do(visit.admin.transfer(visit.user.id, to), f"Done: {words}.")


@router.post("/{user_id}/delete")
async def delete_user(visit: Visit) -> Response:
    if visit.values.get("confirm_email", "").strip() != visit.user.email:
        return visit.page(form=Form(visit.values, {"confirm_email": CONFIRMATION}), status=422)
    fate = _FATES.get(visit.values.get("models", ""))
    # What was typed there before another choice was made does not count.
    receiver = visit.values.get("receiver", "").strip() if fate == "transfer" else ""
    try:
        await visit.admin.delete(visit.user.id, fate, receiver or None)
    except Problem as problem:
        return visit.refused(problem, receiver="receiver")
    return redirect(visit.request, "/ui/admin/users", f"The account of {visit.user.email} is deleted.")


_FIELDS = {"max_bytes": "max_megabytes"}
_FATES: Mapping[str, ModelsFate] = {"delete": "delete", "transfer": "transfer"}


def _as_body(values: Mapping[str, Any]) -> dict[str, Any]:
    """An empty field: as everybody."""
    models, megabytes = (values.get(name, "").strip() for name in ("max_models", "max_megabytes"))
    return {"max_models": models or None, "max_bytes": _in_bytes(megabytes) if megabytes else None}


def _in_bytes(megabytes: str) -> int | str:
    try:
        return round(float(megabytes) * _MEGABYTE)
    except (ValueError, OverflowError):
        # For the form to show what is wrong with it.
        return megabytes


def _limits_form(user: UserEntry) -> Form:
    megabytes = None if user.own_max_bytes is None else f"{user.own_max_bytes / _MEGABYTE:g}"
    return Form({"max_models": user.own_max_models, "max_megabytes": megabytes})
