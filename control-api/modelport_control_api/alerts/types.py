"""The kinds of events. What is told of one is in `docs/webhooks.md`."""

from typing import Literal, get_args

EventType = Literal[
    "model.ready",
    "model.degraded",
    "model.failed",
    "rollout.started",
    "rollout.promoted",
    "rollout.rolled_back",
    "rollout.inconclusive",
    "rollout.cancelled",
    "experiment.decided",
    "drift.started",
    "drift.ended",
    "quality.fell",
    "job.succeeded",
    "job.failed",
    "job.cancelled",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
