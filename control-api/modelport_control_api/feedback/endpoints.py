"""The calls on feedback of docs/api.md. Only a model's owner has them, no administrator."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from modelport_http.problem import Problem
from modelport_http.wording import counted

from modelport_control_api.errors import InvalidFields
from modelport_control_api.feedback.receiving import MAX_BYTES, Receiving
from modelport_control_api.feedback.schemas import FeedbackAnswer
from modelport_control_api.ground_truth import writing
from modelport_control_api.history.service import require_own
from modelport_control_api.http.bodies import loads
from modelport_control_api.http.context import DbSession
from modelport_control_api.http.principal import require
from modelport_control_api.http.responses import CREDENTIAL, problems
from modelport_control_api.identity import Principal
from modelport_control_api.models.access import ChangingCaller, Models

router = APIRouter(
    prefix="/api/v1/models/{model_id}/feedback", tags=["quality"], responses=problems(*CREDENTIAL, 404)
)

_MAX_JSON_BYTES = 8 * 1024 * 1024
_CSV, _LINES, _JSON = "text/csv", "application/x-ndjson", "application/json"
_ITEM = {
    "type": "object",
    "required": ["request_id"],
    "additionalProperties": False,
    "properties": {
        "request_id": {
            "type": "string",
            "description": "X-Request-ID of the prediction, or the row's own where the model has an id_field",
        },
        "row": {"type": "integer", "minimum": 0, "default": 0, "description": "Its place in the request."},
        "label": {"description": "What turned out to be true: a text, number or boolean."},
        "reward": {"type": "number", "description": "What it was worth, in a unit of yours."},
        "at": {
            "type": "string",
            "format": "date-time",
            "description": "When it was known; now unless given. Of several the latest counts.",
        },
    },
}
_BODY = {
    "required": True,
    "content": {
        _JSON: {
            "schema": {
                "type": "object",
                "required": ["items"],
                "additionalProperties": False,
                "properties": {"items": {"type": "array", "items": _ITEM}},
            }
        },
        _LINES: {"schema": {"type": "string", "description": "An item a line."}},
        _CSV: {"schema": {"type": "string", "description": "First a line that names the columns."}},
    },
}

Teller = Annotated[Principal, Depends(require("predict"))]


@router.post("", responses=problems(400, 413, 415, 422), openapi_extra={"requestBody": _BODY})
async def tell(model_id: str, request: Request, principal: Teller, services: Models) -> FeedbackAnswer:
    """Tell what turned out to be true of predictions, before they are stored or long after.

    Items are independent: those that are wrong are listed, the others count. To send one again changes
    nothing; with a later `at` it is a correction.
    """
    await services.transactions.read(lambda session: require_own(session, principal, model_id))
    receiving = Receiving(services.transactions, model_id)
    match request.headers.get("content-type", "").partition(";")[0].strip().lower():
        case "application/json":
            await receiving.objects(_items(await _whole(request)))
        case "application/x-ndjson" | "application/jsonl":
            await receiving.json_lines(request.stream())
        case "text/csv":
            await receiving.csv(request.stream())
        case _:
            raise Problem(
                status=415, detail=f"Send {_JSON}, {_LINES} (an item a line) or {_CSV}, as Content-Type."
            )
    return receiving.answer()


@router.delete("", status_code=204)
def forget(model_id: str, caller: ChangingCaller, session: DbSession) -> None:
    """Forget all predictions of a model that were kept to be compared, and all that was told of them."""
    require_own(session, caller.principal, model_id)
    writing.forget(session, model_id)


async def _whole(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_JSON_BYTES:
            raise Problem(
                status=413,
                detail=f"JSON may have {counted(_MAX_JSON_BYTES, 'byte')} at most: send more as {_LINES} or "
                f"{_CSV}, up to {counted(MAX_BYTES, 'byte')}.",
            )
    return bytes(body)


def _items(body: bytes) -> list[Any]:
    try:
        sent = loads(body)
    except ValueError as error:
        raise Problem(status=400, detail=f"The body is not JSON: {error}.") from None
    match sent:
        case {"items": [_, *_] as items, **others} if not others:
            return list(items)
    raise InvalidFields(("items", 'must be a list of items: {"items": [{"request_id": …, "label": …}]}'))
