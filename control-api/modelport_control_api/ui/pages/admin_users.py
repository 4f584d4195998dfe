"""One user's limits, for administrators."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from modelport_control_api.admin import service
from modelport_control_api.admin.schemas import LimitsChange, UserEntry
from modelport_control_api.http.context import RequestOrigin
from modelport_control_api.models.access import Models
from modelport_control_api.ui.forms import Form, parse, read_values
from modelport_control_api.ui.rendering import redirect, render
from modelport_control_api.ui.signed_in import AdminSignedIn, require_admin

router = APIRouter(prefix="/ui/admin/users", include_in_schema=False, dependencies=[Depends(require_admin)])
_MEGABYTE = 1_000_000


@router.get("/{user_id}")
async def show_user(user_id: str, request: Request, services: Models) -> Response:
    user = await service.user(services, user_id)
    megabytes = None if user.own_max_bytes is None else f"{user.own_max_bytes / _MEGABYTE:g}"
    form = Form({"max_models": user.own_max_models, "max_megabytes": megabytes})
    return _page(request, services, user, form)


@router.post("/{user_id}")
async def change_limits(
    user_id: str, request: Request, signed_in: AdminSignedIn, services: Models, origin: RequestOrigin
) -> Response:
    values = await read_values(request)
    user = await service.user(services, user_id)
    parsed = parse(LimitsChange, _as_body(values), shown=values)
    if parsed.body is None:
        errors = {_FIELDS.get(field, field): text for field, text in parsed.form.errors.items()}
        return _page(request, services, user, Form(parsed.form.values, errors), status=422)
    await service.change_limits(services, signed_in.principal, user_id, parsed.body, origin)
    return redirect(request, "/ui/admin/users", f"The limits of {user.email} are saved.")


_FIELDS = {"max_bytes": "max_megabytes"}


def _as_body(values: dict[str, Any]) -> dict[str, Any]:
    """An empty field: as everybody."""
    models, megabytes = (values.get(name, "").strip() for name in ("max_models", "max_megabytes"))
    return {"max_models": models or None, "max_bytes": _in_bytes(megabytes) if megabytes else None}


def _in_bytes(megabytes: str) -> int | str:
    try:
        return round(float(megabytes) * _MEGABYTE)
    except (ValueError, OverflowError):
        # For the form to show what is wrong with it.
        return megabytes


def _page(request: Request, services: Models, user: UserEntry, form: Form, **context: Any) -> Response:
    return render(request, "admin/user.html", user=user, form=form, limits=services.limits, **context)
