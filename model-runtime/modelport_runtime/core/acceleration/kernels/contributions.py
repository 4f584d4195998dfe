"""What each column of the input contributes to what a final kernel adds up.

Of linear models a column's coefficient times its value, as it is after the preprocessing: exact, and counted
from where that value is 0 (the mean of the training rows, behind a StandardScaler). Of trees see
`tree_contributions`.
"""

from typing import Any, Protocol

import numpy as np

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.input_columns import input_columns
from modelport_runtime.core.acceleration.kernels.steps import Matrix
from modelport_runtime.core.acceleration.kernels.tree_contributions import TreeContributions
from modelport_runtime.core.acceleration.kernels.trees import Trees
from modelport_runtime.core.contributions.explained import Scale


class Terms(Protocol):
    """The terms of a sum: n × outputs × width, and what stands before them."""

    outputs: int

    @property
    def base(self) -> Matrix:
        """Return one number for each output."""

    @property
    def cells(self) -> int:
        """Return how many numbers it takes to explain a row."""

    def of(self, matrix: Matrix) -> Matrix: ...


class _Products:
    def __init__(self, coefficients: Matrix, intercepts: Matrix) -> None:
        self._coefficients = coefficients.T
        self.base = intercepts
        self.outputs = len(intercepts)
        self.cells = coefficients.size

    def of(self, matrix: Matrix) -> Matrix:
        terms: Matrix = matrix[:, None, :] * self._coefficients
        return terms


class Contributions:
    """Explains the rows of one plan. `kernel`: the trees that predict, where there are any."""

    def __init__(self, made: plan.Plan, kernel: Trees | None) -> None:
        self._terms = _terms(made.final, kernel)
        self._single = isinstance(made.final, plan.Forest) or (
            isinstance(made.final, plan.Boosting) and made.final.single_precision
        )
        self.scale: Scale = scale_of(made.final)
        self._sums = Sums(input_columns(made.part), len(made.signature.columns or ()))

    @property
    def outputs(self) -> int:
        return self._terms.outputs

    @property
    def cells(self) -> int:
        return self._terms.cells

    def of(self, matrix: Matrix) -> Matrix:
        """Return n × outputs × (columns of the input + 1), the base last, as boosters return theirs."""
        given = matrix.astype(np.float32) if self._single else matrix
        terms = self._sums.of(self._terms.of(given))
        base = np.broadcast_to(self._terms.base[:, None], (*terms.shape[:2], 1))
        return np.concatenate((terms, base), axis=2)


def _terms(final: plan.Final, kernel: Trees | None) -> Terms:
    if isinstance(final, plan.LinearClassifier):
        return _Products(final.coefficients.unpack(), final.intercepts.unpack())
    if isinstance(final, plan.LinearRegressor):
        return _Products(final.coefficients.unpack(), np.array([final.intercept]))
    assert kernel is not None  # noqa: S101  # all others have trees
    values = final.trees.values.unpack()
    if isinstance(final, plan.Boosting):
        output_of = np.arange(kernel.count) % final.outputs
        return TreeContributions(final.trees, kernel, values, output_of)
    if final.classes is not None and len(final.classes) == 2:
        values = values[:, 1:]
    return TreeContributions(final.trees, kernel, values / kernel.count, None)


def scale_of(final: plan.Final) -> Scale:
    """Return what the terms are parts of."""
    if isinstance(final, plan.LinearRegressor):
        return "prediction"
    if isinstance(final, plan.LinearClassifier):
        return "log_odds" if len(final.classes) == 2 and final.link != "none" else "score"
    if isinstance(final, plan.Forest):
        return "prediction" if final.classes is None else "probability"
    scales: dict[str, Scale] = {
        "identity": "prediction",
        "exp": "log_prediction",
        "logistic": "log_odds",
        "softmax": "score",
    }
    return scales[final.link]


class Sums:
    """Adds up the terms of what was made of one input column: a one-hot encoder makes several of one."""

    def __init__(self, places: Any, columns: int) -> None:
        self._columns = columns
        self._as_they_are = len(places) == columns and bool((places == np.arange(columns)).all())
        self._order = np.argsort(places, kind="stable")
        self._found, self._starts = np.unique(places[self._order], return_index=True)

    def of(self, terms: Matrix) -> Matrix:
        if self._as_they_are:
            return terms
        sums = np.zeros((*terms.shape[:2], self._columns))
        sums[:, :, self._found] = np.add.reduceat(terms.take(self._order, 2), self._starts, axis=2)
        return sums
