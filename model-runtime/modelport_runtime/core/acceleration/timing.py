"""How much faster kernels are than the model."""

import time
from collections.abc import Callable
from typing import Any

from modelport_runtime.core.acceleration.outcome import Declined
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Request

_SECONDS_EACH = 0.012
_MAX_RUNS = 30


def if_faster(
    original: Engine, kernels: Engine, rows: list[Any], outputs: tuple[str, ...], least_for_all: float = 1.0
) -> float | Declined:
    """Return the speedup for one row or for all, whichever is less.

    Declined: one row is not faster, or all are no more than `least_for_all` times as fast.
    """
    one, all_ = (
        speedup(original, kernels, Request(some, single=False, outputs=outputs)) for some in (rows[:1], rows)
    )
    if one > 1 and all_ > least_for_all:
        return min(one, all_)
    return Declined(
        f"The kernels agree, but are not faster: {one:.1f} times for 1 row, {all_:.1f} for {len(rows)}."
    )


def speedup(original: Engine, kernels: Engine, request: Request) -> float:
    """Return by how much the shortest of a few runs is shorter: others on the same cores only lengthen
    them.
    """
    return _seconds(lambda: original.run(request)) / max(_seconds(lambda: kernels.run(request)), 1e-9)


def _seconds(run: Callable[[], object]) -> float:
    run()
    taken: list[float] = []
    until = time.perf_counter() + _SECONDS_EACH
    while len(taken) < _MAX_RUNS and (len(taken) < 5 or time.perf_counter() < until):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return min(taken)
