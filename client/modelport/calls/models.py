"""Models: uploaded, read, changed, removed, and their traffic."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from modelport.calls.paths import path_of
from modelport.calls.waiting import hold, until_ready
from modelport.models import Acceleration, Access, Model
from modelport.rows import as_sample
from modelport.steps import Flow, Listing, Reply, request, without_none
from modelport.uploads import OnProgress, upload_form

_NULL = {
    "sticky": "off",
    "history": "off",
    "feedback": "off",
    "rate_limit": "platform",
    "data_drift": "platform",
}
"""The settings that can be taken away, and what says so."""


def listing(name: str | None, tags: Sequence[str]) -> Listing[Model]:
    """Return the list of your models, newest first: of the name, if one is given, and with all the tags."""
    wanted = without_none(name=name) | ({"tag": _each(tags)} if tags else {})
    return Listing(path_of("models"), Model.from_json, wanted)


def upload(
    path: str | Path,
    sample: Any,
    reference: str | Path | None,
    on_progress: OnProgress | None,
    *,
    code: str | Path | None,
    **texts: str | None,
) -> Flow[Model]:
    """Return the new model, which is not ready yet; `on_progress` gets bytes sent and bytes in all."""
    row = as_sample(sample)
    with upload_form(
        path, on_progress=on_progress, sample=row, reference=reference, code=code, **texts
    ) as form:
        return _model((yield from request("POST", path_of("models", "upload"), **form)))


def get(model_id: str, wait: float) -> Flow[Model]:
    """Return the model, after a change or at latest after `wait` seconds."""
    return _model((yield from request("GET", path_of("models", model_id), params=hold(wait))))


def wait(model_id: str, seconds: float, on_status: Callable[[Model], None] | None) -> Flow[Model]:
    """Return the model once it is ready; `seconds` at most. Raises what `until_ready` raises."""
    path = path_of("models", model_id)
    return until_ready(lambda held: get(model_id, held), seconds, on_status, path=path)


def update(
    model_id: str,
    *,
    name: str | None,
    description: str | None,
    access: Access | None,
    acceleration: Acceleration | None,
    tags: Sequence[str] | None,
    cache_ttl_seconds: int | None,
    timeout_seconds: int | None,
    **nullable: str | Mapping[str, Any] | None,
) -> Flow[Model]:
    """Return the changed model. None leaves a setting as it is; the word of `_NULL` is the API's null.

    Raises `Conflict` for a model applied with kubectl.
    """
    body = without_none(
        name=name,
        description=description,
        access=access,
        acceleration=acceleration,
        tags=None if tags is None else _each(tags),
        cache_ttl_seconds=cache_ttl_seconds,
        timeout_seconds=timeout_seconds,
    )
    for setting, value in without_none(**nullable).items():
        body[setting] = None if value == _NULL[setting] else value
    # Twice is as good as once: the same settings again change nothing.
    return _model((yield from request("PATCH", path_of("models", model_id), json=body, repeatable=True)))


def delete(model_id: str) -> Flow[None]:
    """Stop serving the model and remove the files of all versions.

    Raises `NotFound`, or `Conflict` for a model applied with kubectl.
    """
    yield from request("DELETE", path_of("models", model_id))


def set_traffic(model_id: str, weights: Mapping[str, int], *, force: bool) -> Flow[Model]:
    """Return the model; `weights`: version → percent, which sum to 100.

    Raises `SignatureChanged`, unless `force`, for a version that lacks what callers depend on.
    """
    path, params = path_of("models", model_id, "traffic"), {"force": "true"} if force else None
    return _model((yield from request("PUT", path, json=dict(weights), params=params)))


def rollback(model_id: str) -> Flow[Model]:
    """Return the model with the traffic before the last change; a second call takes the first one back.

    Raises `Conflict` where there is no earlier traffic.
    """
    return _model((yield from request("POST", path_of("models", model_id, "rollback"))))


def _each(tags: Sequence[str]) -> list[str]:
    # A text is a sequence too, of its letters.
    return [tags] if isinstance(tags, str) else list(tags)


def _model(reply: Reply) -> Model:
    return Model.from_json(reply.json(), reply.url)
