"""`preprocess` and `postprocess` of a user's own around a model file, which its own backend reads."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.estimators.results import Unreadable
from modelport_runtime.core.backends.own_code import traces
from modelport_runtime.core.backends.own_code.giving import outputs_in
from modelport_runtime.core.backends.own_code.hints import RowsHint, hint_of
from modelport_runtime.core.backends.own_code.taking import assembler_of, signature_of
from modelport_runtime.core.backends.own_code.trying import first_inputs, only
from modelport_runtime.core.interpretations import readings_of
from modelport_runtime.core.responses import plain
from modelport_runtime.core.rows import RowDecoder
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import LoadError, Outputs, Rejected

Function = Callable[..., Any]
_PRE, _POST = "preprocess", "postprocess"


@dataclass(frozen=True)
class Steps:
    """`uses`: the model's outputs that postprocess takes beside its predictions, by parameter."""

    pre: Function | None
    post: Function | None
    hint: RowsHint | None
    uses: tuple[str, ...]


def steps_of(module: Any, inner: Backend) -> Steps | None:
    """Return the module's functions; None: it has neither. Raises `LoadError` for what they cannot take."""
    pre, post = getattr(module, _PRE, None), getattr(module, _POST, None)
    if not callable(pre) and not callable(post):
        return None
    hint = hint_of(pre, _PRE) if pre is not None else None
    return Steps(pre, post, hint, _uses(post, inner.signature.outputs) if post is not None else ())


def _uses(post: Function, outputs: tuple[str, ...]) -> tuple[str, ...]:
    others = list(inspect.signature(post).parameters.values())[1:]
    for each in others:
        if each.name not in outputs and each.default is inspect.Parameter.empty:
            raise LoadError(
                "LoadFailed",
                f"postprocess takes {each.name}, but the model's outputs are {', '.join(outputs)}.",
            )
    return tuple(each.name for each in others if each.name in outputs)


class Around:
    """See `Backend`. `inner` reads the model file; `fed` is what it declares of its own input."""

    is_refusal = staticmethod(traces.is_refusal)

    def __init__(self, steps: Steps, inner: Backend, fed: Signature | None = None) -> None:
        self.libraries = inner.libraries
        self._steps = steps
        self._inner = inner
        self._fed = fed or inner.signature
        self._decoder = RowDecoder(self._fed)
        self._assemble: Function | None = None

    @property
    def blanks_are_lost(self) -> bool:
        return self._steps.pre is None and bool(getattr(self._inner, "blanks_are_lost", False))

    @property
    def rounding(self) -> float:
        return float(getattr(self._inner, "rounding", 1e-6))

    @property
    def signature(self) -> Signature:
        return self._inner.signature

    def readings(self, row: Any) -> Iterator[tuple[Signature, "Around"]]:
        """Return what callers may send, the likeliest first, with what feeds it to the model."""
        if self._steps.hint is None:
            for fed, inner in readings_of(self._inner, row):
                yield self._tried(fed, row, inner, fed)
            return
        taken = signature_of(self._steps.hint, row, _PRE)
        for fed, inner in readings_of(self._inner, self._first_made(taken, row)):
            outer = replace(taken, task=fed.task, classes=fed.classes, outputs=fed.outputs)
            yield self._tried(outer, row, inner, fed)

    def _first_made(self, taken: Signature, row: Any) -> Any:
        """Return what preprocess makes of the first row; None: it raises, and the check of it will say so."""
        try:
            made = self._preprocessed(first_inputs(taken, row, self.assembler(taken)))
            return _as_rows(made)[0]
        except Exception:  # noqa: BLE001  # whatever a user's code raises
            return None

    def _tried(
        self, outer: Signature, row: Any, inner: Backend, fed: Signature
    ) -> "tuple[Signature, Around]":
        other = Around(self._steps, inner, fed)
        if self._steps.post is None:
            return outer, other
        # Its answers are its own: neither the model's classes nor its tensors.
        outer = replace(outer, task="generic", classes=None, tensors_out=None)
        try:
            outputs = other._all_outputs(first_inputs(outer, row, other.assembler(outer)))
        except Exception:  # noqa: BLE001  # the check of the sample meets it again, and words it
            return outer, other
        further = [name for name in fed.outputs if name not in outputs]
        return replace(outer, outputs=(*outputs, *further)), other

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        if self._steps.hint is None:
            return self._inner.assembler(signature)
        return assembler_of(self._steps.hint, signature)

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        fed = self._feed(inputs)
        if self._steps.post is None:
            return self._inner.predict(fed, wanted)
        of_model = [each for each in self._fed.outputs if each in wanted and each != "prediction"]
        given = self._predicted(fed, {*of_model, *self._steps.uses})
        outputs = self._postprocessed(given)
        return only({**{each: given[each] for each in of_model}, **outputs}, wanted, _POST)

    def _all_outputs(self, rows: Any) -> tuple[str, ...]:
        return tuple(self._postprocessed(self._predicted(self._feed(rows), {*self._steps.uses})))

    def _predicted(self, fed: Any, further: set[str]) -> dict[str, list[Any]]:
        names = tuple(each for each in self._fed.outputs if each == "prediction" or each in further)
        return self._inner.predict(fed, names).values

    def _postprocessed(self, given: dict[str, list[Any]]) -> dict[str, list[Any]]:
        further = {each: given[each] for each in self._steps.uses}
        answers = (self._steps.post or _nothing)(given["prediction"], **further)
        return outputs_in(answers, _POST, None)

    def _preprocessed(self, rows: Any) -> Any:
        return rows if self._steps.pre is None else self._steps.pre(rows)

    def _feed(self, rows: Any) -> Any:
        """An estimator gets arrays and frames as they are; all others, and rows, go by its signature."""
        if self._steps.pre is None:
            return rows
        made = self._preprocessed(rows)
        if hasattr(self._inner, "estimator") and hasattr(made, "shape"):
            return made
        if self._assemble is None:
            self._assemble = self._inner.assembler(self._fed)
        return self._assemble(self._read(_as_rows(made)))

    def _read(self, rows: list[Any]) -> list[Any]:
        try:
            return self._decoder.read_rows(rows, None)
        except Rejected as refused:
            fault = refused.failure.detail.replace("inputs[", "row [", 1)
            raise Unreadable(f"what {_PRE} gave does not fit the model: {fault}") from refused


def _as_rows(made: Any) -> list[Any]:
    """Return rows as JSON has them, of frames with the names of their columns."""
    if hasattr(made, "to_dict") and hasattr(made, "columns"):
        made = made.to_dict("records")
    rows = plain(made) if isinstance(made, np.ndarray | list | tuple) or hasattr(made, "toarray") else made
    if not isinstance(rows, list):
        raise Unreadable(f"{_PRE} gave a {type(made).__name__}: give a list of rows, an array or a DataFrame")
    return [_without_nan(row) for row in rows]


def _without_nan(row: Any) -> Any:
    """A value that is missing is null in JSON."""
    if isinstance(row, dict):
        return {name: None if value != value else value for name, value in row.items()}  # noqa: PLR0124
    if isinstance(row, list):
        return [None if value != value else value for value in row]  # noqa: PLR0124
    return row


def _nothing(prediction: list[Any]) -> list[Any]:
    return prediction
