"""HTML forms, checked by the same pydantic models as the API's bodies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from modelport_http.problem import Problem
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from modelport_control_api.http.problems import field_errors

Body = TypeVar("Body", bound=BaseModel)
_SECRET = ("password",)


@dataclass(frozen=True)
class Form:
    """What a template shows again: `values` as typed, `errors` by field; `error` for none in particular."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None

    def refused_by(self, problem: Problem) -> "Form":
        """The same form with what the service reported of it."""
        errors = {entry["field"]: entry["message"] for entry in problem.errors}
        return Form(self.values, errors, None if errors else problem.detail)

    def renamed(self, names: Mapping[str, str]) -> "Form":
        """The same form with its errors under its own names. `names`: those of the service's that differ."""
        errors = {names.get(field, field): message for field, message in self.errors.items()}
        return Form(self.values, errors, self.error)


@dataclass(frozen=True)
class Parsed(Generic[Body]):
    """`body` None: `form.errors` has the reasons."""

    body: Body | None
    form: Form


async def read_values(request: Request, *, lists: tuple[str, ...] = ()) -> dict[str, Any]:
    """The form's texts by name. `lists`: names that may come several times, always as a list."""
    data = await request.form()
    values: dict[str, Any] = {
        name: value for name, value in data.items() if isinstance(value, str) and name != "csrf_token"
    }
    return values | {name: [str(value) for value in data.getlist(name)] for name in lists}


def parse(
    model: type[Body], values: Mapping[str, Any], *, shown: Mapping[str, Any] | None = None
) -> Parsed[Body]:
    """Check `values`; `shown` (default: they) is what the form holds again. Passwords are never shown."""
    kept = {
        name: value
        for name, value in (values if shown is None else shown).items()
        if not any(secret in name for secret in _SECRET)
    }
    try:
        return Parsed(model.model_validate(values), Form(kept))
    except ValidationError as error:
        # `tags[1]`: what is a list in the body is one field of the form.
        errors = {
            entry["field"].partition("[")[0]: entry["message"] for entry in field_errors(error.errors())
        }
        return Parsed(None, Form(kept, errors))


def without_blanks(values: Mapping[str, Any]) -> dict[str, Any]:
    """A field that was left empty is one that was not given."""
    return {name: value for name, value in values.items() if value not in ("", [])}
