"""Predictions of one row or of many."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx

from modelport.models import Prediction
from modelport.rows import Predictions, as_row, as_rows, index_of, to_body
from modelport.steps import Flow, Reply, request, without_none

_USUAL = {"model", "version", "prediction", "predictions", "probabilities"}


def predict(
    model_id: str, row: Any, version: str | None, return_: Sequence[str] | None, session: str | None
) -> Flow[Prediction]:
    """Return the row's prediction."""
    reply = yield from _send(model_id, version, session, input=as_row(row), **_wanted(return_))
    return _prediction(reply.response, reply.json())


def predict_many(
    model_id: str, rows: Any, version: str | None, return_: Sequence[str] | None, session: str | None
) -> Flow[Predictions]:
    """Return a prediction for each row, in the order of the rows."""
    reply = yield from _send(model_id, version, session, inputs=as_rows(rows), **_wanted(return_))
    body = reply.json()
    named = {name: values for name, values in body.items() if name not in ("model", "version")}
    named["prediction"] = named.pop("predictions", [None] * len(next(iter(named.values()))))
    each = (dict(zip(named, values, strict=True)) for values in zip(*named.values(), strict=True))
    found = (_prediction(reply.response, {**body, **one}) for one in each)
    return Predictions(found, index_of(rows))


def _send(model_id: str, version: str | None, session: str | None, **body: Any) -> Flow[Reply]:
    path = f"/predict/{quote(model_id, safe='')}"
    return request(
        "POST",
        path if version is None else f"{path}/versions/{quote(version, safe='')}",
        content=to_body(**body),
        headers=without_none(**{"Content-Type": "application/json", "X-Modelport-Session": session}),
        repeatable=True,
    )


def _wanted(return_: Sequence[str] | None) -> dict[str, list[str]]:
    return {} if return_ is None else {"return": list(return_)}


def _prediction(response: httpx.Response, body: dict[str, Any]) -> Prediction:
    return Prediction(
        prediction=body.get("prediction"),
        probabilities=body.get("probabilities"),
        model=body["model"],
        version=body["version"],
        outputs={name: value for name, value in body.items() if name not in _USUAL},
        cached=response.headers.get("x-cache") == "hit",
        request_id=response.headers.get("x-request-id"),
    )
