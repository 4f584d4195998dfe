"""Calls in, predictions out: decode each, put compatible ones into one model call, split, encode."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec
from modelport_http.wording import counted

from modelport_runtime.core import v2
from modelport_runtime.core.matrix_bodies import MatrixBodies
from modelport_runtime.core.responses import NativeResponses
from modelport_runtime.core.rows import RowDecoder
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.suspicion import Suspicion
from modelport_runtime.core.traces import trace_of
from modelport_runtime.core.types import Call, Failure, Outputs, Prediction, Rejected, Request, without_paths

if TYPE_CHECKING:
    # The backends' package imports this module.
    from modelport_runtime.core.backends.base import Backend

_MAX_DETAIL = 300
"""An exception may quote its whole input; the caller needs the first words."""


class _Pending(msgspec.Struct, frozen=True, gc=False):
    """A decoded call and its place among the calls that came with it."""

    place: int
    request: Request
    echo: v2.Echo | None


class Engine:
    """One model, ready to predict. Not thread-safe: one worker thread calls it."""

    def __init__(
        self,
        backend: "Backend",
        signature: Signature,
        *,
        model: str,
        version: str,
        max_batch_rows: int,
        others: "Iterable[tuple[Signature, Backend]]" = (),
    ) -> None:
        """others: further signatures to try, each with the backend that feeds the model so."""
        self.sample: dict[str, Any] | None = None
        self.sample_source: Literal["given", "synthetic"] | None = None
        self.libraries_here = backend.libraries
        self._names = {"model": model, "version": version}
        self._responses = NativeResponses(model, version)
        self._max_rows = max_batch_rows
        self._others = iter(others)
        self._use(backend, signature)

    def _use(self, backend: "Backend", signature: Signature) -> None:
        self.backend = backend
        self.signature = signature
        self._decoder = RowDecoder(signature, blanks_are_lost=getattr(backend, "blanks_are_lost", False))
        self._matrices = MatrixBodies(signature, lambda rows: self._decoder.read_rows(rows, None))
        self._v2 = v2.Protocol(signature, self._decoder, **self._names)
        self._assemble = backend.assembler(signature)

    def extend(self, backend: "Backend") -> None:
        """Predict with a backend that gives more than the one so far, for the same rows."""
        self._use(backend, backend.signature)

    def try_another(self) -> bool:
        """Read the model's input in another way; False if there is none left."""
        other = next(self._others, None)
        if other is not None:
            self._use(other[1], other[0])
        return other is not None

    def v2_metadata(self) -> dict[str, Any]:
        """Return the model metadata of the Open Inference Protocol; what no file declares is read off a
        response.
        """
        return self._v2.metadata(self._example())

    def _example(self) -> Outputs | None:
        """Return a response to the sample with all that may be requested, or what of it the model gives."""
        if self.sample is None:
            return None
        rows = self.decode_sample(self.sample).rows
        values: dict[str, list[Any]] = {}
        arrays: dict[str, Any] = {}
        for output in self.signature.outputs:
            # One by one: it has predicted its sample, but an output that nobody requested may raise.
            with suppress(Exception):
                given = self._run(rows, (output,))
                values |= given.values
                arrays |= given.arrays
        return Outputs(values, arrays)

    def predict_many(self, calls: Sequence[Call]) -> list[Prediction | Failure]:
        """Predict each call in its place; one that is wrong, or makes the model raise, fails alone."""
        results: list[Prediction | Failure | None] = [None] * len(calls)
        pending = []
        for place, call in enumerate(calls):
            try:
                request, echo = self._decode(call)
                pending.append(_Pending(place, request, echo))
            except Rejected as refused:
                results[place] = refused.failure
        for batch in _batches(pending, self._max_rows):
            for item, result in zip(batch, self._predict_batch(batch), strict=True):
                results[item.place] = result
        return cast("list[Prediction | Failure]", results)

    def decode_sample(self, sample: dict[str, Any]) -> Request:
        """Read a sample as a request for all that the model usually gives. Raises `Rejected`."""
        rows = self._decoder.read_rows([sample["input"]], "input")
        return Request(rows, single=True, outputs=self.signature.usual_outputs)

    def run(self, request: Request) -> Outputs:
        """Put one decoded request through the model. Raises whatever the model raises."""
        return self._run(request.rows, request.outputs)

    def _decode(self, call: Call) -> tuple[Request, v2.Echo | None]:
        if call.protocol == "v2":
            return self._v2.decode(call)
        if call.protocol == "matrix":
            return self._matrices.read(call.body), None
        return self._decoder.decode(call.body), None

    def _predict_batch(self, batch: list[_Pending]) -> list[Prediction | Failure]:
        if len(batch) == 1:
            rows = batch[0].request.rows
        else:
            rows = [row for item in batch for row in item.request.rows]
        try:
            return self._encode_each(batch, self._run(rows, batch[0].request.outputs))
        except BaseException as error:  # noqa: BLE001  # a model may raise anything; its caller gets it
            if len(batch) == 1:
                return [self._failure(batch[0].request, error)]
            return [self._predict_batch([item])[0] for item in batch]

    def _failure(self, request: Request, error: BaseException) -> Failure:
        """Return which of the request's values the model refuses, if that is what it raised over."""
        if isinstance(error, Rejected):
            return error.failure

        def predict(rows: Sequence[Any]) -> Outputs:
            return self._run(rows, request.outputs)

        good = None if self.sample is None else self.decode_sample(self.sample).rows[0]
        refuses: Callable[[BaseException], bool] = getattr(self.backend, "is_refusal", _refuses_nothing)
        suspicion = Suspicion(self.signature, good, predict, error, refuses=refuses(error))
        return suspicion.failure(request, description=describe_error(error)) or model_failure(error)

    def _encode_each(self, batch: list[_Pending], outputs: Outputs) -> list[Prediction | Failure]:
        for item in batch:
            if not item.request.single:
                break
        else:
            return [Prediction(body) for body in self._responses.write_each(outputs)]
        if len(batch) == 1:
            return [self._encode(batch[0], outputs)]
        results: list[Prediction | Failure] = []
        start = 0
        for item in batch:
            stop = start + len(item.request.rows)
            results.append(self._encode(item, outputs.part(start, stop)))
            start = stop
        return results

    def _run(self, rows: Any, wanted: tuple[str, ...]) -> Outputs:
        outputs = self.backend.predict(self._assemble(rows), wanted)
        for results in outputs.values.values():
            if len(results) != len(rows):
                raise WrongNumberOfResults(
                    f"{counted(len(results), 'result')} for {counted(len(rows), 'row')}"
                )
        return outputs

    def _encode(self, item: _Pending, outputs: Outputs) -> Prediction:
        if item.echo is not None:
            return self._v2.encode(item.echo, outputs)
        return Prediction(self._responses.write(item.request, outputs))


def _refuses_nothing(_error: BaseException) -> bool:
    return False


class WrongNumberOfResults(Exception):
    """The model gave more or fewer results than it was given rows."""


def _batches(pending: list[_Pending], max_rows: int) -> list[list[_Pending]]:
    """Group by the outputs requested, up to `max_rows` a group; a larger request goes alone, whole."""
    if len(pending) == 1:
        return [pending]
    alike: dict[tuple[str, ...], list[_Pending]] = {}
    for item in pending:
        alike.setdefault(item.request.outputs, []).append(item)
    return [batch for group in alike.values() for batch in _cut(group, max_rows)]


def _cut(group: list[_Pending], max_rows: int) -> list[list[_Pending]]:
    batches: list[list[_Pending]] = [[]]
    size = 0
    for item in group:
        rows = len(item.request.rows)
        if batches[-1] and size + rows > max_rows:
            batches.append([])
            size = 0
        batches[-1].append(item)
        size += rows
    return batches


def describe_error(error: BaseException) -> str:
    """Return an exception's type and the first line of its text, at most 300 characters."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {without_paths(lines[0])}" if lines else type(error).__name__
    return text[:_MAX_DETAIL]


def model_failure(error: BaseException) -> Failure:
    """The failure for a model that raised; the trace goes along for the log."""
    return Failure(
        500,
        "The model raised",
        describe_error(error),
        reason="ModelError",
        trace=trace_of(error),
    )
