"""A member of an ensemble once it is loaded: what it takes, and what it gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from modelport_formats.ensembles.manifest import EnsembleMember

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.ensembles.columns import Taker, mismatch, picker
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.responses import class_keys
from modelport_runtime.core.rows import RowDecoder
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import Outputs

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Member:
    """`name`: of the column that its prediction becomes. `example`: a row that it predicts, as in JSON."""

    label: str
    name: str | None
    weight: float
    backend: Backend
    signature: Signature
    example: Any

    @cached_property
    def keys(self) -> list[str]:
        """Its classes as keys of objects. Raises `LoadError` where there are none."""
        classes = self.signature.classes
        if classes is None or any(isinstance(each, list) for each in classes):
            raise mismatch(
                f"{self.label} has no classes: it is a {self.signature.task}.",
                "Join classifiers of one label by `vote` or `average`, regressors by `average`.",
            )
        return class_keys(classes)

    def taker(self, given: Sequence[str] = ()) -> Taker:
        """given: names of columns that do not come from the row."""
        lost = bool(getattr(self.backend, "blanks_are_lost", False))
        return Taker(self.label, self.signature, given, lost)

    def picked(self, places: Mapping[str, int] | None, width: int) -> Callable[[Any], Any]:
        """Return what takes its part of rows of so many values. `places` None: all of it."""
        if places is None:
            return lambda rows: rows
        return picker([places[column.name] for column in self.signature.columns or ()], width)

    def predict(self, rows: Any, wanted: tuple[str, ...]) -> Outputs:
        """`rows`: decoded, its own columns alone. Raises whatever the model raises, noted as its."""
        try:
            return self.backend.predict(self._assemble(rows), wanted)
        except Exception as error:
            error.add_note(f"The member that raised it: {self.label}.")
            raise

    @cached_property
    def _assemble(self) -> Any:
        return self.backend.assembler(self.signature)

    def first(self, wanted: tuple[str, ...]) -> Outputs:
        """Return what it gives for its example. Raises `LoadError` without one; what the model raises."""
        if self.example is None:
            raise mismatch(
                f"{self.label} does not say which columns it takes.",
                "Upload it with a sample, and make the ensemble of that version.",
            )
        return self.predict(RowDecoder(self.signature).read_rows([self.example], "input"), wanted)

    @cached_property
    def first_number(self) -> Array | None:
        """What it predicts for its example, if that is a number or several."""
        try:
            return np.asarray(self.numbers(self.first(("prediction",)))[0])
        except (TypeError, ValueError):
            return None

    def shares(self, outputs: Outputs, keys: Sequence[str]) -> Array:
        """Return its probabilities, a column for each of the keys: exactly as an estimator gave them."""
        array = outputs.arrays.get("probabilities")
        exact = hasattr(self.backend, "estimator") and array is not None
        if array is not None and exact and array.shape[1:] == (len(self.keys),):
            return array[:, [self.keys.index(key) for key in keys]]
        rows = outputs.values["probabilities"]
        return np.array([[row[key] for key in keys] for row in rows], dtype=np.float64)

    def numbers(self, outputs: Outputs) -> Array:
        """Return its predictions, which are numbers. Raises ValueError or TypeError where they are none."""
        array = outputs.arrays.get("prediction")
        if array is not None and array.dtype.kind in "fiub":
            return array
        return np.array(outputs.values["prediction"], dtype=np.float64)


def member_of(named: EnsembleMember, engine: Engine) -> Member:
    """Return the member that was loaded, and has predicted its sample or a made-up row."""
    example = None if engine.sample is None else engine.sample["input"]
    return Member(named.label, named.name, named.weight, engine.backend, engine.signature, example)


def numbers_or_list(outputs: Outputs, name: str) -> Any:
    """Return an output as the array of numbers that the model gave, or else as JSON has it."""
    array = outputs.arrays.get(name)
    return array if array is not None and array.dtype.kind in "fiub" else outputs.values[name]
