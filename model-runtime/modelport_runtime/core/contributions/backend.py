"""A backend that also gives contributions, each of which was checked to add up to what the model computed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.contributions.explained import Form, check_sums, check_work, names_of
from modelport_runtime.core.contributions.explainer import Explainer
from modelport_runtime.core.signature import CONTRIBUTIONS, Signature
from modelport_runtime.core.types import Outputs


class _Assembled(NamedTuple):
    rows: list[Any]
    inputs: Any


class ExplainedBackend:
    """Everything but contributions comes from `backend`, whose signature in use is `signature`."""

    def __init__(self, backend: Backend, signature: Signature, explainer: Explainer) -> None:
        self.signature = replace(signature, outputs=(*signature.outputs, CONTRIBUTIONS))
        self.libraries = backend.libraries
        self.blanks_are_lost = bool(getattr(backend, "blanks_are_lost", False))
        self.estimator = getattr(backend, "estimator", None)
        self._backend, self._explainer = backend, explainer
        self._form = Form(signature, explainer.scale, explainer.outputs)

    def assembler(self, signature: Signature) -> Callable[[list[Any]], _Assembled]:
        assemble = self._backend.assembler(replace(signature, outputs=names_of(signature.outputs)))
        return lambda rows: _Assembled(rows, assemble(rows))

    @property
    def cells(self) -> int:
        """Return how many numbers it takes to explain a row."""
        return self._explainer.cells

    def forget(self) -> None:
        """Free what contributions alone need, until they are asked for."""
        self._explainer.forget()

    def predict(self, inputs: _Assembled, wanted: tuple[str, ...]) -> Outputs:
        if CONTRIBUTIONS not in wanted:
            return self._backend.predict(inputs.inputs, wanted)
        check_work(len(inputs.rows), self._explainer.cells)
        others = names_of(wanted)
        given = self._backend.predict(inputs.inputs, others) if others else Outputs({})
        explained = self._explainer.explain(*inputs)
        check_sums(explained, self._explainer.computed(inputs.inputs), self._explainer.tolerance)
        return Outputs(
            {**given.values, CONTRIBUTIONS: self._form.rows(explained)},
            {**given.arrays, CONTRIBUTIONS: self._form.array(explained)},
        )
