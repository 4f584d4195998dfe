"""Experiments with a model's versions: started, read, and ended."""

from collections.abc import Mapping
from typing import Any

from modelport.calls.paths import path_of
from modelport.errors import NotFound
from modelport.evaluation.experiments import Experiment
from modelport.steps import Flow, request


def start(
    model_id: str,
    arms: Mapping[str, int],
    goal: str | Mapping[str, Any],
    more: Mapping[str, Any],
    *,
    force: bool,
) -> Flow[Experiment]:
    """Return the experiment that begins. Raises `Conflict` while another one, or a rollout, goes on, and
    `SignatureChanged`, unless `force`, for a version that lacks what callers depend on.
    """
    wanted = {"metric": goal} if isinstance(goal, str) else dict(goal)
    body = {"arms": dict(arms), "goal": wanted, **more}
    params = {"force": "true"} if force else None
    reply = yield from request("POST", _path(model_id), json=body, params=params)
    return Experiment.from_json(reply.json())


def of_model(model_id: str) -> Flow[list[Experiment]]:
    """Return the model's experiments, the newest first."""
    reply = yield from request("GET", _path(model_id))
    return [Experiment.from_json(each) for each in reply.json()["items"]]


def get(model_id: str, number: int | None) -> Flow[Experiment]:
    """Return the experiment; None: the newest. Raises `NotFound`."""
    if number is None:
        number = yield from _newest(model_id)
    reply = yield from request("GET", _path(model_id, str(number)))
    return Experiment.from_json(reply.json())


def promote(model_id: str, number: int | None, version: str | None) -> Flow[Experiment]:
    """Return it as it is then. Raises `Conflict` where there is no winner and none is named."""
    if number is None:
        number = yield from _newest(model_id)
    body = {} if version is None else {"version": version}
    reply = yield from request("POST", _path(model_id, str(number), "promote"), json=body)
    return Experiment.from_json(reply.json())


def stop(model_id: str, number: int | None) -> Flow[Experiment]:
    """Return it as it is then. Raises `Conflict` once it is over."""
    if number is None:
        number = yield from _newest(model_id)
    reply = yield from request("POST", _path(model_id, str(number), "stop"))
    return Experiment.from_json(reply.json())


def _newest(model_id: str) -> Flow[int]:
    found = yield from of_model(model_id)
    if not found:
        raise NotFound("The model has had no experiment yet: start one.")
    return found[0].id


def _path(model_id: str, *rest: str) -> str:
    return path_of("models", model_id, "experiments", *rest)
