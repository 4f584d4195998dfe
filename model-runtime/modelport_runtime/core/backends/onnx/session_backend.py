"""A session of tensors as a backend: rows by position or by the inputs' names, labels and probabilities out.

A session is what ONNX Runtime's is: `get_inputs()` and `get_outputs()` give a name, a type (`tensor(float)`)
and a shape of each, `run(names, feeds)` arrays.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from modelport_runtime.core.backends.onnx.file import Labels
from modelport_runtime.core.backends.onnx.graph import Graph
from modelport_runtime.core.backends.onnx.outputs import Output, plain_outputs, read_outputs
from modelport_runtime.core.signature import Column, Signature, Task, positional_columns
from modelport_runtime.core.types import Outputs


@dataclass(frozen=True)
class SessionParts:
    """A session, and what else its file declares: declared labels, constants that may be some, scalar inputs,
    whether something in it depends on all rows that come together, whether it has a way for missing values,
    whether it reads sequences, and how far its predictions in a batch may be from those alone."""

    session: Any
    labels: list[Labels] = field(default_factory=list)
    constants: list[Labels] = field(default_factory=list)
    scalars: Set[str] = frozenset()
    looks_beside: bool = False
    declares_missing: bool = False
    is_recurrent: bool = False
    kind: str = "ONNX"
    """Whose graph it is, in the words of an error."""
    rounding: float = 1e-6
    may_classify: bool = True
    """Whole numbers and numbers, as its two outputs, are a label and scores of classes."""
    most_rows: int | None = None
    """How many it takes at once; None: any number."""
    network: Callable[[], Any] | None = None
    """Writes it as a `NetworkPlan`'s network, for kernels. Raises `NotConverted`. None: there is no way."""


class SessionBackend:
    """An inference session. Raises `LoadError` (UnsupportedFormat) for what is no tensor or has no rows."""

    def __init__(self, parts: SessionParts, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        self.parts = parts
        self.rounding = parts.rounding
        self._graph = Graph(
            parts.session,
            parts.scalars,
            one_by_one=parts.looks_beside,
            is_recurrent=parts.is_recurrent,
            kind=parts.kind,
            most_rows=parts.most_rows,
        )
        self._takes_missing = parts.declares_missing and self._graph.makes_numbers_of_nan
        self._named = {output.name: output for output in self._outputs(parts)}

    def _outputs(self, parts: SessionParts) -> list[Output]:
        if not parts.may_classify:
            return plain_outputs(self._graph)
        return read_outputs(self._graph, parts.labels, parts.constants)

    @cached_property
    def signature(self) -> Signature:
        columns = self._columns()
        only = self._graph.inputs[0]
        texts = len(self._graph.inputs) == 1 and only.is_column and only.dtype == "object"
        classes = next((output.classes for output in self._named.values() if output.classes), None)
        return Signature(
            task=self._task(),
            columns=None if texts else columns,
            positional=not texts and columns is not None and self._one_matrix,
            input="text" if texts else "rows",
            outputs=tuple(self._named),
            classes=classes,
            tensors_in=self._graph.specs_in(),
            tensors_out=tuple(output.spec for output in self._named.values() if output.spec is not None),
        )

    @property
    def _one_matrix(self) -> bool:
        only = self._graph.inputs[0]
        return len(self._graph.inputs) == 1 and only.batched and len(only.row_shape) == 1

    def _task(self) -> Task:
        if any(output.classes or output.name == "probabilities" for output in self._named.values()):
            return "classifier"
        return "regressor" if len(self._named) == 1 else "generic"

    def _columns(self) -> tuple[Column, ...] | None:
        only = self._graph.inputs[0]
        if not self._one_matrix or only.is_column:
            return tuple(each.column(may_be_missing=self._takes_missing) for each in self._graph.inputs)
        (width,) = only.row_shape
        if width is None:
            return None
        optional = self._takes_missing and only.kind == "number"
        return positional_columns(width, kind=only.kind, dtype=only.dtype, optional=optional)

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        whole = signature.input == "text" or (self._one_matrix and not self._graph.inputs[0].is_column)
        return self._graph.assembler(of_one_input=whole)

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        outputs = [self._named[name] for name in wanted]
        given = self._graph.run(inputs, list(dict.fromkeys(chain(*[output.sources for output in outputs]))))
        return Outputs(
            {output.name: output.read(*[given[source] for source in output.sources]) for output in outputs},
            {
                output.name: given[output.sources[0]]
                for output in outputs
                if len(output.sources) == 1 and isinstance(given[output.sources[0]], np.ndarray)
            },
        )
