"""JSON as RFC 8259 has it: Python's own reader also takes what nobody can store or send on."""

import json
from typing import Any, NoReturn

from fastapi.routing import APIRoute
from starlette.requests import Request


def loads(text: str | bytes) -> Any:
    """Raises ValueError for what is no JSON, for NaN, what overflows a float, and half a surrogate pair."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        # Neither the database nor an answer can hold 1e999, nor a lone surrogate, which has no UTF-8.
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
            # What FastAPI answers as a body that is not JSON.
            raise json.JSONDecodeError(str(error), "", 0) from None


class StrictJsonRoute(APIRoute):
    """The `route_class` of every router whose calls take a JSON body."""

    def get_route_handler(self) -> Any:
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Any:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly
