"""How much faster kernels are than the model."""

import time
from collections.abc import Callable

from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Request

_SECONDS_EACH = 0.012
_MAX_RUNS = 30


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
