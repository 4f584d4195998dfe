"""One live request of a network compared with the framework's own answer, as far as rounding allows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from modelport_runtime.core import v2
from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.comparison import DEVIATIONS
from modelport_runtime.core.acceleration.networks.rounding import Rounding
from modelport_runtime.core.backends.onnx.session_backend import SessionBackend
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Prediction

_DRAWS = 12
_LAST_PLACES = 2.0 * float(np.finfo(np.float32).eps)


def difference(original: Engine, call: Call, given: Any) -> float | None:
    """Compare a parsed response with the original's to the same call. See `acceleration.difference`."""
    backend = cast("SessionBackend", original.backend)
    own = _parsed(original, call)
    if own is None or backend.parts.network is None:
        return None
    session = _Drawn(backend.parts.session, backend.parts.network())
    parts = replace(backend.parts, session=session, network=None)
    engine = Engine(
        SessionBackend(parts, backend.libraries), original.signature, model="", version="", max_batch_rows=64
    )
    session.is_noisy = True
    drawn = [list(_leaves(_parsed(engine, call))) for _ in range(_DRAWS)]
    return _largest(list(_leaves(own)), list(_leaves(given)), drawn)


def _parsed(engine: Engine, call: Call) -> Any:
    (outcome,) = engine.predict_many([call])
    if not isinstance(outcome, Prediction):
        return None
    return v2.read_response(outcome)


_NAMES = ("model", "version", "model_name", "model_version", "id")


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what stands in a body, with its place."""
    if isinstance(value, dict):
        for key, each in value.items():
            if path or key not in _NAMES:
                yield from _leaves(each, f"{path}.{key}")
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _leaves(each, f"{path}[{place}]")
    else:
        yield path, value


Leaves = list[tuple[str, Any]]


def _largest(own: Leaves, given: Leaves, drawn: Sequence[Leaves]) -> float | None:
    places = [place for place, _ in own]
    if [place for place, _ in given] != places:
        return None
    draws = [[value for _, value in each] for each in drawn if [place for place, _ in each] == places]
    largest = 0.0
    for at, ((_, one), (_, other)) in enumerate(zip(own, given, strict=True)):
        found = _of_value(one, other, [draw[at] for draw in draws])
        if found is None:
            return None
        largest = max(largest, found)
    return largest


def _of_value(one: Any, other: Any, drawn: Sequence[Any]) -> float | None:
    if type(one) is not type(other):
        return None
    if not isinstance(one, float):
        # A label that rounding alone changes is nobody's fault.
        return 0.0 if one == other or any(each != one for each in drawn) else None
    values = [each for each in drawn if isinstance(each, float)]
    deviation = math.sqrt(sum((each - one) ** 2 for each in values) / max(1, len(values)))
    apart: float = abs(one - other)
    if apart > DEVIATIONS * deviation + _LAST_PLACES * abs(one):
        return None
    return apart / abs(one) if one else apart


class _Drawn:
    """The session with the noise of rounding, once it is noisy."""

    def __init__(self, session: Any, network: nodes.Network) -> None:
        self._session = session
        self._rounding = Rounding(network)
        self.is_noisy = False

    def get_inputs(self) -> Any:
        return self._session.get_inputs()

    def get_outputs(self) -> Any:
        return self._session.get_outputs()

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        """Return the outputs named, or all of them."""
        if not self.is_noisy:
            return list(self._session.run(names, feeds))
        outputs = self._rounding.draw(feeds)
        return [outputs[name] for name in names or outputs]
