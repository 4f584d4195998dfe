"""Versions of a model, their logs, and how their inputs drift."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelport.calls import models
from modelport.calls.paths import path_of
from modelport.calls.waiting import hold, until_ready
from modelport.drift import Drift, Importance
from modelport.models import Version
from modelport.rows import as_sample
from modelport.steps import Flow, request
from modelport.uploads import OnProgress, Requirements, opened, requirements_text, upload_form


def of_model(model_id: str) -> Flow[list[Version]]:
    """Return the model's versions, oldest first. Raises `NotFound`."""
    model = yield from models.get(model_id, wait=0)
    return [*model.versions]


def get(model_id: str, version: str, wait: float) -> Flow[Version]:
    """Return the version, after a change or at latest after `wait` seconds."""
    reply = yield from request("GET", _path(model_id, version), params=hold(wait))
    return Version.from_json(reply.json())


def wait(
    model_id: str, version: str, seconds: float, on_status: Callable[[Version], None] | None
) -> Flow[Version]:
    """Return the version once it is ready; `seconds` at most. Raises what `until_ready` raises."""
    path = _path(model_id, version)
    return until_ready(lambda held: get(model_id, version, held), seconds, on_status, path=path)


def create(
    model_id: str,
    path: str | Path,
    *,
    model_type: str | None,
    environment: str | None,
    requirements: Requirements | None = None,
    sample: Any,
    reference: str | Path | None,
    code: str | Path | None,
    traffic: int | None,
    force: bool,
    replaces: str | None,
    guarded: bool = False,
    on_progress: OnProgress | None,
) -> Flow[Version]:
    """Return the new version, which is not ready yet. Raises `Conflict` if `replaces` has not failed."""
    # Platforms of before do not know those that are left out.
    texts = {
        "model_type": model_type,
        "environment": environment,
        "requirements": requirements_text(requirements),
        "traffic": None if traffic is None or (traffic == 100 and replaces is None) else str(traffic),
        "force": "true" if force else None,
        "replaces": replaces,
        "rollout": "guarded" if guarded else None,
    }
    row = as_sample(sample)
    with upload_form(
        path, on_progress=on_progress, sample=row, reference=reference, code=code, **texts
    ) as form:
        reply = yield from request("POST", path_of("models", model_id, "versions"), **form)
        return Version.from_json(reply.json())


def retry(model_id: str, version: str, sample: Any, environment: str | None) -> Flow[Version]:
    """Return the new version of the failed one's file, which takes its place."""
    body = {} if sample is None else {"sample": as_sample(sample)}
    if environment is not None:
        body["environment"] = environment
    reply = yield from request("POST", _path(model_id, version, "retry"), json=body)
    return Version.from_json(reply.json())


def artifact_path(model_id: str, version: str) -> str:
    """Return where the version's file is."""
    return _path(model_id, version, "artifact")


def delete(model_id: str, version: str) -> Flow[None]:
    """Remove a version. Raises `Conflict` if it gets requests or is the only one."""
    yield from request("DELETE", _path(model_id, version))


def logs(model_id: str, version: str, tail: int) -> Flow[str]:
    """Return the last `tail` lines that the version logged."""
    reply = yield from request("GET", _path(model_id, version, "logs"), params={"tail": tail})
    return reply.response.text


def drift(model_id: str, version: str) -> Flow[Drift]:
    """Return how the newest inputs compare with the reference: `no_reference` is a state, no error."""
    reply = yield from request("GET", _path(model_id, version, "drift"))
    return Drift.from_json(reply.json())


def importance(model_id: str, version: str) -> Flow[Importance]:
    """Return which columns its predictions depend on. Raises `NotFound` if none was computed."""
    reply = yield from request("GET", _path(model_id, version, "importance"))
    return Importance.from_json(reply.json())


def compute_importance(model_id: str, version: str) -> Flow[Importance]:
    """Begin to compute it of the predictions that are kept. Raises `Conflict` if there are too few."""
    reply = yield from request("POST", _path(model_id, version, "importance"))
    return Importance.from_json(reply.json())


def put_reference(model_id: str, version: str, path: str | Path) -> Flow[None]:
    """Send a CSV file as the version's reference, in place of an earlier one; counting starts over.

    Raises `ModelportError` for a file that cannot be read, `InvalidRequest` for one that is no such CSV.
    """
    with opened(Path(path)) as file:
        headers = {"Content-Type": "text/csv", "Content-Length": str(os.fstat(file.fileno()).st_size)}
        yield from request("PUT", _path(model_id, version, "reference"), content=file, headers=headers)


def _path(model_id: str, version: str, *rest: str) -> str:
    return path_of("models", model_id, "versions", version, *rest)
