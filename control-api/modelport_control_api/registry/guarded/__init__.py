"""Rollouts that prove themselves (decision 57): asking for one, steering it, and writing down its end."""

from modelport_control_api.registry.guarded.asking import (
    Step,
    counts_of,
    find,
    going_on,
    list_all,
    start,
    steer,
)
from modelport_control_api.registry.guarded.ending import end

__all__ = ["Step", "counts_of", "end", "find", "going_on", "list_all", "start", "steer"]
