"""Believes a network's kernels only where they give the framework's answers, as far as rounding allows."""

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import orjson
from modelport_http.wording import counted

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.arrays import PlanRefused
from modelport_runtime.core.acceleration.backend import read_plan
from modelport_runtime.core.acceleration.converters.blocks import NotConverted
from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.comparison import Compared, compare
from modelport_runtime.core.acceleration.networks.kernels import Array
from modelport_runtime.core.acceleration.networks.origins import hints_of
from modelport_runtime.core.acceleration.networks.rounding import Rounding
from modelport_runtime.core.acceleration.networks.rows import Feeds, GeneratedFeeds
from modelport_runtime.core.acceleration.networks.validation import values_of
from modelport_runtime.core.acceleration.outcome import Accelerated, Declined, Differs, Proof, ShownCall
from modelport_runtime.core.acceleration.timing import if_faster
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Prediction

if TYPE_CHECKING:
    from modelport_runtime.core.backends.onnx.session_backend import SessionBackend

_MOST_ROWS = 1_000
"""Compared at once."""
_CHUNK_WORK = 30_000_000
_MIN_ROWS = 200
_PATIENCE = 2.0
"""A machine that is busy gets so much more of the time, to compare the fewest rows."""
_MOST_UNSTABLE = 0.05
"""Of ordinary rows, so large a part may be unfit for a comparison."""
_SINGLE = 20
_LEAST_FOR_MANY = 0.5
"""How fast kernels must be for 32 rows, in terms of the original's speed: one row is what is asked for."""


def prove(engine: Engine, seconds: float, rows: int) -> Accelerated | Declined:
    """Convert and compare a network's session. Raises `NotConverted`, `Differs`."""
    backend = cast("SessionBackend", engine.backend)
    write = backend.parts.network
    if write is None:
        raise NotConverted(f"This kind of {backend.parts.kind} file has no kernels.")
    network = write()
    made = nodes.NetworkPlan(engine.signature, engine.libraries_here, network)
    data = plan.encode(made)
    try:
        kernels = cast("SessionBackend", read_plan(data))
    except PlanRefused as why:
        raise NotConverted(f"The network has no kernels: {why}.") from why
    other = Engine(kernels, engine.signature, model="", version="", max_batch_rows=rows)
    run = _Run(network, backend.parts.session, kernels.parts.session)
    sample = engine.decode_sample(engine.sample or {}).rows
    first = _first(engine, sample)
    run.all(GeneratedFeeds(network, first, hints_of(network)), sample_feeds=first, seconds=seconds, rows=rows)
    _same_form(engine, other)
    return _if_faster(engine, other, sample, run, data)


def _first(engine: Engine, rows: list[Any]) -> Feeds:
    """Return the feeds of one row, of a fixed batch too."""
    groups = engine.backend.assembler(engine.signature)(rows)
    return {name: values[:1] for name, values in groups[0][1].items()}


class _Run:
    def __init__(self, network: nodes.Network, original: Any, kernels: Any) -> None:
        self._original, self._kernels = original, kernels
        self._rounding = Rounding(network)
        fixed = [each.shape[0] for each in network.inputs if each.shape[0] is not None]
        self._fixed = fixed[0] if fixed else None
        work = sum(max(value.work, value.size) for value in values_of(network))
        most = max(_SINGLE, min(_MOST_ROWS, _CHUNK_WORK // work))
        self._at_once = self._fixed or min(most, network.most_rows or most)
        self._scales: dict[str, float] = {}
        self.rows, self.largest = 0, 0.0

    def all(self, generated: GeneratedFeeds, *, sample_feeds: Feeds, seconds: float, rows: int) -> None:
        """Compare the sample, ordinary rows and extremes. Raises `Differs`, `NotConverted`."""
        until = time.monotonic() + seconds
        self._of(sample_feeds)
        ordinary = self._ordinary(generated)
        enough = time.monotonic() + (until - time.monotonic()) / 3
        for extreme in generated.extremes():
            if time.monotonic() > enough:
                break
            self._of(extreme)
        at_last = until + _PATIENCE * seconds
        while ordinary.rows < rows and time.monotonic() < (until if ordinary.rows >= _MIN_ROWS else at_last):
            ordinary = ordinary.plus(self._ordinary(generated))
        if ordinary.unstable > _MOST_UNSTABLE * ordinary.rows:
            raise NotConverted(
                f"On {ordinary.unstable:,} of {counted(ordinary.rows, 'ordinary row')} the rounding of "
                "single precision alone moves the network's answers too far to tell it from a difference."
            )
        if ordinary.compared < _MIN_ROWS:
            raise NotConverted(
                f"Only {counted(ordinary.compared, 'row')} could be compared in "
                f"{counted((1 + _PATIENCE) * seconds, 'second')}."
            )

    def _ordinary(self, generated: GeneratedFeeds) -> Compared:
        total = Compared(0, 0, 0.0)
        count = max(self._at_once, _SINGLE)
        feeds = generated.take(count - count % self._at_once)
        for start in range(0, len(next(iter(feeds.values()))), self._at_once):
            total = total.plus(self._of(_part(feeds, start, start + self._at_once)))
        return total

    def _of(self, feeds: Feeds) -> Compared:
        """Compare rows, at most as many as go in at once."""
        given = _run(self._original, self._filled(feeds))
        found = _run(self._kernels, self._filled(feeds))
        rows = len(next(iter(feeds.values())))
        if given is None or found is None:
            return self._raised(feeds, rows, given, found)
        spread = self._rounding.of(feeds)
        compared = compare(_cut(given, rows), _cut(found, rows), spread, self._scales, update=rows > 1)
        for row in range(min(rows, _SINGLE) if rows > 1 else 0):
            alone = _run(self._kernels, self._filled(_part(feeds, row, row + 1)))
            if alone is None:
                raise Differs("raise on a row alone that they predict among others.")
            compare(_cut(given, rows, row), _cut(alone, 1), spread.part(row), self._scales, update=False)
        self.rows += compared.compared
        self.largest = max(self.largest, compared.largest)
        return compared

    def _raised(self, feeds: Feeds, rows: int, given: Any, found: Any) -> Compared:
        if rows > 1:
            each = [self._of(_part(feeds, row, row + 1)) for row in range(min(rows, 4))]
            total = Compared(0, 0, 0.0)
            for one in each:
                total = total.plus(one)
            return total
        if given is None and found is None:
            self.rows += 1
            return Compared(0, 0, 0.0)
        does = "predict a row on which the original raises." if given is None else "raise on a row that"
        raise Differs(does if given is None else f"{does} the original predicts.")

    def _filled(self, feeds: Feeds) -> Feeds:
        """A fixed batch is filled up with the last row."""
        if self._fixed is None:
            return feeds
        return {
            name: np.concatenate([values, np.repeat(values[-1:], self._fixed - len(values), axis=0)])
            for name, values in feeds.items()
        }


Arrays = Mapping[str, Array]


def _run(session: Any, feeds: Feeds) -> Arrays | None:
    try:
        given = session.run(None, feeds)
    except Exception:  # noqa: BLE001  # whatever a model raises: what counts is that the other raises too
        return None
    return {declared.name: each for declared, each in zip(session.get_outputs(), given, strict=True)}


def _part(feeds: Feeds, start: int, stop: int) -> Feeds:
    return {name: values[start:stop] for name, values in feeds.items()}


def _cut(given: Arrays, rows: int, row: int | None = None) -> Arrays:
    cut = slice(rows) if row is None else slice(row, row + 1)
    return {name: values[cut] for name, values in given.items()}


def _same_form(one: Engine, other: Engine) -> None:
    """Compare whole responses but for their numbers, which were compared."""
    for call in _sample_calls(one):
        forms = [_form(engine.predict_many([call])[0]) for engine in (one, other)]
        if forms[0] != forms[1] or forms[0] is None:
            raise Differs("give a response of another form than the original's.")


def _sample_calls(engine: Engine) -> list[Call]:
    row = (engine.sample or {})["input"]
    bodies = {"inputs": [row, row], "return": list(engine.signature.outputs)}, {"input": row}
    return [Call("native", orjson.dumps(body)) for body in bodies]


def _form(outcome: Any) -> Any:
    if not isinstance(outcome, Prediction):
        return None
    body = orjson.loads(outcome.body)
    return _kinds({key: value for key, value in body.items() if key not in ("model", "version")})


def _kinds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _kinds(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_kinds(each) for each in value]
    return float if value is None else type(value)


def _if_faster(
    engine: Engine, other: Engine, sample: list[Any], run: _Run, data: bytes
) -> Accelerated | Declined:
    speedup = if_faster(engine, other, sample * 32, engine.signature.usual_outputs, _LEAST_FOR_MANY)
    if isinstance(speedup, Declined):
        return speedup
    return Accelerated(data, Proof(run.rows, run.largest, speedup), list(_shown(engine)))


def _shown(engine: Engine) -> Iterator[ShownCall]:
    for call in _sample_calls(engine):
        (outcome,) = engine.predict_many([call])
        if isinstance(outcome, Prediction):
            yield ShownCall(call, outcome)
