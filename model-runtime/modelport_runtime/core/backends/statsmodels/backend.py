"""Results of statsmodels: regressions by arrays, whose constant is 1 unless a row gives it, or by a formula,
which takes the training data's own columns."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from statsmodels.base.model import Model, Results
from statsmodels.base.wrapper import ResultsWrapper

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.backends.statsmodels import refusals
from modelport_runtime.core.backends.statsmodels.classes import classes_of
from modelport_runtime.core.backends.statsmodels.designs import columns_of, example_of, names_of, read
from modelport_runtime.core.frames import as_array, as_frame
from modelport_runtime.core.responses import keyed, plain
from modelport_runtime.core.signature import Column, Signature
from modelport_runtime.core.types import Outputs


def load(file: ModelFile) -> Backend:
    """Return the backend of fitted results. See `Framework.load`."""
    return ResultsBackend(read(file, _check), file.libraries)


def _check(held: Any) -> None:
    results = held._results if isinstance(held, ResultsWrapper) else held
    refusals.check(results, is_results=isinstance(results, Results), is_model=isinstance(results, Model))


class ResultsBackend:
    """Its predictions are those of `results.predict(rows)`. Null is refused but for the constant."""

    def __init__(self, results: Any, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        self._results = results
        self._has_formula = hasattr(results.model, "formula")
        self._constant = None if self._has_formula else _constant_of(results)
        self._classes = classes_of(results.model)

    @property
    def example(self) -> dict[str, Any] | None:
        """A row that it should predict; None: any will do."""
        return example_of(self._results.model) if self._has_formula else None

    @cached_property
    def signature(self) -> Signature:
        names, are_own = ([], True) if self._has_formula else names_of(self._results)
        return Signature(
            task="classifier" if self._classes else "regressor",
            columns=columns_of(self._results.model) if self._has_formula else self._named(names),
            positional=not are_own,
            outputs=("prediction", "probabilities") if self._classes else ("prediction",),
            classes=self._classes,
        )

    def _named(self, names: Sequence[str]) -> tuple[Column, ...]:
        return tuple(Column(name, optional=place == self._constant) for place, name in enumerate(names))

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        columns = signature.columns or ()
        if self._has_formula:
            return as_frame(columns)
        assemble, constant = as_array(columns), self._constant
        return assemble if constant is None else lambda rows: _with_constant(assemble(rows), constant)

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        found = self._results.predict(exog=inputs)
        # Hazards come with their errors.
        array = np.asarray(getattr(found, "predicted_values", found))
        if self._classes is None:
            values = array.reshape(-1) if array.shape[1:] == (1,) else array
            return Outputs({"prediction": plain(values)})
        read = {"prediction": self._likeliest, "probabilities": self._probabilities}
        return Outputs({name: read[name](array) for name in wanted})

    def _likeliest(self, shares: np.ndarray[Any, Any]) -> list[Any]:
        classes = self._classes or ()
        unknown = np.isnan(shares).any(axis=1)
        return [
            None if missing else classes[place]
            for missing, place in zip(unknown, shares.argmax(axis=1), strict=True)
        ]

    def _probabilities(self, shares: np.ndarray[Any, Any]) -> list[Any]:
        return keyed(shares, self._classes or ())


def _constant_of(results: Any) -> int | None:
    """Return the place of the column of ones, which `add_constant` adds."""
    place: int | None = results.model.data.const_idx
    if place is None:
        return None
    exog = results.model.exog
    if exog is None:
        names, are_own = names_of(results)
        return place if are_own and names[place] == "const" else None
    return place if bool((np.asarray(exog)[:, place] == 1).all()) else None


def _with_constant(array: np.ndarray[Any, Any], place: int) -> np.ndarray[Any, Any]:
    missing = np.isnan(array[:, place])
    if missing.any():
        array = array.copy()
        array[missing, place] = 1.0
    return array
