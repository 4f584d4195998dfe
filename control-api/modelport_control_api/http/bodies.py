"""Bodies of requests: JSON as RFC 8259 has it, and the types of fields that several rooms share."""

import json
from typing import Annotated, Any, NoReturn

from fastapi.routing import APIRoute
from pydantic import AfterValidator, BaseModel, ConfigDict
from starlette.requests import Request


def _refuse_control_characters(text: str) -> str:
    # PostgreSQL refuses a zero byte in text; the others would garble logs and terminals.
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("must not contain control characters")
    return text


Line = Annotated[str, AfterValidator(_refuse_control_characters)]
"""Text of one line, as users type it."""


class RequestBody(BaseModel):
    """A field that we do not know is a mistake of the caller's: we report it instead of ignoring it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


def loads(text: str | bytes) -> Any:
    """Raises ValueError for what is no JSON, for NaN, what overflows a float, and half a surrogate pair."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        # Neither the database nor a response can hold 1e999, nor a lone surrogate, which has no UTF-8.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON; write null for a missing value")


class _StrictRequest(Request):
    async def json(self) -> Any:
        try:
            return loads(await self.body())
        except ValueError as error:
            # What FastAPI reports as a body that is not JSON.
            raise json.JSONDecodeError(str(error), "", 0) from None


class StrictJsonRoute(APIRoute):
    """The `route_class` of every router whose calls take a JSON body."""

    def get_route_handler(self) -> Any:
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Any:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly
