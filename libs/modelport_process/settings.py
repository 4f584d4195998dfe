"""Settings from the environment, and what is wrong with them in the words of whoever sets the variables."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsError

from modelport_process.pydantic_words import own_words, predicate_of
from modelport_process.start import CannotStart

_Settings = TypeVar("_Settings", bound=BaseSettings)
_FIELD = re.compile(r'for field "(\w+)"')


def read_settings(kind: type[_Settings], **given: object) -> _Settings:
    """Read `kind` from the environment. Raises `CannotStart` that names every variable that is wrong."""
    try:
        return kind(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        said = "; ".join(_one(kind, dict(entry)) for entry in error.errors(include_url=False))
        raise CannotStart(f"{said}.") from error
    except SettingsError as error:
        raise CannotStart(f"{_not_json(kind, str(error))}.") from error


def variable_of(kind: type[BaseModel], field: str) -> str:
    """The environment variable that sets `field`."""
    known = kind.model_fields.get(field)
    prefix = str(kind.model_config.get("env_prefix", ""))
    return str((known.validation_alias if known else None) or f"{prefix}{field}".upper())


def _one(kind: type[BaseSettings], entry: Mapping[str, Any]) -> str:
    """Never the value: it may be a secret, or one that was put into the wrong variable."""
    if not entry["loc"]:
        return own_words(entry)
    name, *inside = entry["loc"]
    variable, field = _find(kind, str(name))
    example = _example(variable, field)
    if entry["type"] == "missing" and not inside:
        return f"{variable} is not set: give it a value{example}"
    message = _message(entry, field)
    said = "".join(f"{part}: " for part in inside if part != "[key]")
    return f"{variable} is wrong: {said}{message}{'' if 'e.g.' in message else example}"


def _find(kind: type[BaseSettings], name: str) -> tuple[str, FieldInfo | None]:
    """The variable and its field; pydantic gives the one or the other as the place."""
    if name in kind.model_fields:
        return variable_of(kind, name), kind.model_fields[name]
    aliased = (field for field in kind.model_fields.values() if field.validation_alias == name)
    return name, next(aliased, None)


def _not_json(kind: type[BaseSettings], message: str) -> str:
    found = _FIELD.search(message)
    if found is None:
        return message
    variable, field = _find(kind, found[1])
    return f"{variable} is wrong: it must be JSON{_example(variable, field)}"


def _message(entry: Mapping[str, Any], field: FieldInfo | None) -> str:
    if entry["type"] in _OF_VARIABLES:
        return _OF_VARIABLES[entry["type"]]
    if predicate := predicate_of(entry):
        return f"it {predicate}"
    # What a validator of ours says may hold the value.
    return "it has no such form" if _is_secret(field) else own_words(entry)


def _is_secret(field: FieldInfo | None) -> bool:
    return field is not None and "Secret" in str(field.annotation)


def _example(variable: str, field: FieldInfo | None) -> str:
    """`, e.g. MODELPORT_X=128`: an example that the setting gives, else its default."""
    if field is None:
        return ""
    value = field.examples[0] if field.examples else None if _is_secret(field) else field.default
    text = _as_typed(value)
    return f", e.g. {variable}={text}" if text else ""


def _as_typed(value: Any) -> str:
    """Empty where there is no example in it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return ",".join(map(str, value))
    if value is None or isinstance(value, dict) or "Undefined" in type(value).__name__:
        return ""
    return str(value)


# Of a variable, whose value is text.
_OF_VARIABLES: Mapping[str, str] = {
    **dict.fromkeys(("list_type", "tuple_type"), "it must be a JSON list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "it must be a JSON object"),
}
