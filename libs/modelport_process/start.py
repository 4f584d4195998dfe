"""Why a process cannot start, in one line that says what to change."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings


class CannotStart(Exception):
    """The message names what is wrong and what to do; no trace is needed."""


_Settings = TypeVar("_Settings", bound=BaseSettings)


def read_settings(kind: type[_Settings], **given: object) -> _Settings:
    """Read `kind` from the environment. Raises `CannotStart` that names every variable that is wrong."""
    try:
        return kind(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        said = "; ".join(_one(kind, dict(entry)) for entry in error.errors(include_url=False))
        raise CannotStart(f"{said}.") from error


def variable_of(kind: type[BaseModel], field: str) -> str:
    """The environment variable that sets `field`."""
    known = kind.model_fields.get(field)
    prefix = str(kind.model_config.get("env_prefix", ""))
    return str((known.validation_alias if known else None) or f"{prefix}{field}".upper())


def _one(kind: type[BaseSettings], entry: Mapping[str, object]) -> str:
    location = entry["loc"]
    name = str(location[0]) if isinstance(location, tuple) and location else ""
    # An alias is the variable itself.
    variable = name if name not in kind.model_fields else variable_of(kind, name)
    if entry["type"] == "missing":
        return f"{variable} is not set"
    # Never the value: it may be a secret.
    return f"{variable} is wrong: {str(entry['msg']).removeprefix('Value error, ')}"
