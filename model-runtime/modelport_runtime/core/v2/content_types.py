"""What MLServer's clients declare of a tensor beside its datatype: `parameters.content_type`."""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Any

from modelport_runtime.core.types import Unfit
from modelport_runtime.core.v2.binary import Array

_OF_REQUESTS = ("np", "pd", "str")
"""They name what a request is decoded into: here the model decides that."""
_MAX_SHOWN = 40


def check_request(content_type: Any) -> None:
    """Raises `Unfit`: it would change what the request means, and is not read here."""
    _require_one_of(_OF_REQUESTS, content_type)


def check_tensor(content_type: Any, datatype: Any) -> None:
    """Raises `Unfit`, as `check_request`."""
    _require_one_of((*_OF_REQUESTS, *_TEXTS), content_type)
    if content_type in _TEXTS and datatype != "BYTES":
        raise Unfit(f"is {content_type}, which the datatype BYTES alone can be")


def decoded(values: list[Any] | Array, content_type: Any) -> list[Any] | Array:
    """Return what the values of a tensor that was checked stand for. Raises `Unfit`."""
    decode = _TEXTS.get(content_type)
    return values if decode is None else [_one(decode, value, index) for index, value in enumerate(values)]


def _require_one_of(known: tuple[str, ...], content_type: Any) -> None:
    if content_type is None or (isinstance(content_type, str) and content_type in known):
        return
    shown = repr(content_type)[:_MAX_SHOWN]
    raise Unfit(f"must be one of {', '.join(sorted(known))}, or be left out: {shown} is not read here")


def _one(decode: Callable[[str], Any], value: Any, index: int) -> Any:
    try:
        return None if value is None else decode(value)
    except Unfit as unfit:
        raise Unfit(str(unfit), index=index) from None


def _from_base64(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise Unfit("must be base64 of a text in UTF-8, as its content type says") from None


def _date(value: str) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise Unfit("must be a date or time in ISO 8601, as its content type says") from None
    return value


_TEXTS: dict[str, Callable[[str], Any]] = {"base64": _from_base64, "datetime": _date}
