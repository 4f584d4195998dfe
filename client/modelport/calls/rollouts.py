"""Rollouts of a model's versions: started, steered, and waited for."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from modelport.calls.paths import path_of
from modelport.errors import NotFound, NotReadyInTime
from modelport.models import Rollout
from modelport.steps import Flow, Pause, request

RolloutStep = Literal["pause", "resume", "promote", "rollback", "cancel"]
_LOOK_SECONDS = 2.0


def start(model_id: str, version: str, strategy: Mapping[str, Any] | None) -> Flow[Rollout]:
    """Return the rollout that begins. Raises `Conflict` while another one goes on."""
    body = {"version": version} if strategy is None else {"version": version, "strategy": dict(strategy)}
    reply = yield from request("POST", _path(model_id), json=body)
    return Rollout.from_json(reply.json())


def of_model(model_id: str) -> Flow[list[Rollout]]:
    """Return the model's rollouts, the newest first."""
    reply = yield from request("GET", _path(model_id))
    return [Rollout.from_json(each) for each in reply.json()["items"]]


def get(model_id: str, number: int | None) -> Flow[Rollout]:
    """Return the rollout; None: the newest. Raises `NotFound`."""
    # One of a list has nothing of what was counted.
    known = (yield from _newest(model_id)) if number is None else number
    reply = yield from request("GET", _path(model_id, str(known)))
    return Rollout.from_json(reply.json())


def steer(model_id: str, number: int | None, step: RolloutStep) -> Flow[Rollout]:
    """Return it as it is after the step was asked for. Raises `Conflict` once it is over."""
    known = (yield from _newest(model_id)) if number is None else number
    reply = yield from request("POST", _path(model_id, str(known), step))
    return Rollout.from_json(reply.json())


def wait(
    model_id: str, number: int | None, seconds: float, on_status: Callable[[Rollout], None] | None
) -> Flow[Rollout]:
    """Return it once it is over. Raises `NotReadyInTime`."""
    give_up_at = time.monotonic() + seconds
    while True:
        found = yield from get(model_id, number)
        number = found.id
        if on_status is not None:
            on_status(found)
        if found.is_over:
            return found
        if time.monotonic() >= give_up_at:
            raise NotReadyInTime(f"Rollout {number} is not over after {seconds:.0f} s.", found)
        yield Pause(_LOOK_SECONDS)


def _newest(model_id: str) -> Flow[int]:
    found = yield from of_model(model_id)
    if not found:
        raise NotFound("The model has had no rollout yet: start one.")
    return found[0].id


def _path(model_id: str, *rest: str) -> str:
    return path_of("models", model_id, "rollouts", *rest)
