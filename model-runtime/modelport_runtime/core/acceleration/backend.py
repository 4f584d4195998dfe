"""A plan that predicts: read from bytes that a hostile model may have written, and run as the server
process's backend.
"""

import warnings
from collections.abc import Callable
from typing import Any, Protocol

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.kernels.contributions import Contributions
from modelport_runtime.core.acceleration.kernels.ensembles import Boosting, Forest
from modelport_runtime.core.acceleration.kernels.linear import LinearClassifier, LinearRegressor
from modelport_runtime.core.acceleration.kernels.sources import reader
from modelport_runtime.core.acceleration.kernels.steps import Matrix
from modelport_runtime.core.acceleration.kernels.trees import Trees
from modelport_runtime.core.acceleration.plan import decode
from modelport_runtime.core.acceleration.validation import validate
from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.contributions.explained import Form, check_sums, check_work
from modelport_runtime.core.responses import class_keys
from modelport_runtime.core.signature import CONTRIBUTIONS, Signature
from modelport_runtime.core.types import Outputs


class Final(Protocol):
    """The last kernel: n × width → scores (n × k), and what those mean."""

    @property
    def trees(self) -> Trees | None:
        """What finds the leaves, where there are trees."""

    def scores(self, matrix: Matrix) -> Matrix: ...

    def results(self, scores: Matrix) -> list[Any]:
        """Return n labels or numbers."""

    def probabilities(self, scores: Matrix) -> Matrix:
        """Return n × classes."""


_FINALS: dict[type, Callable[[Any], Final]] = {
    plan.LinearClassifier: LinearClassifier,
    plan.LinearRegressor: LinearRegressor,
    plan.Forest: Forest,
    plan.Boosting: Boosting,
}


def final_of(final: plan.Final) -> Final:
    """Return the kernel that a plan ends with."""
    return _FINALS[type(final)](final)


class KernelBackend:
    """Predicts with a validated plan. Any number of threads may call it at once."""

    def __init__(self, made: plan.Plan) -> None:
        self.signature = made.signature
        self.libraries = made.libraries
        self._read = reader(made.part, len(made.signature.columns or ()))
        self._final = final_of(made.final)
        self._keys = class_keys(made.signature.classes or ())
        self._explaining = _explaining(made, self._final) if CONTRIBUTIONS in made.signature.outputs else None

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        return self._read

    def predict(self, inputs: Matrix, wanted: tuple[str, ...]) -> Outputs:
        scores = self._final.scores(inputs)
        values, arrays = {}, {}
        for name in wanted:
            if name == "prediction":
                values[name] = self._final.results(scores)
            elif name == "probabilities":
                arrays[name] = self._final.probabilities(scores)
                values[name] = self._named(arrays[name])
            elif name == CONTRIBUTIONS:
                values[name], arrays[name] = self._explain(inputs, scores)
            else:
                arrays[name] = scores[:, 0] if scores.shape[1] == 1 else scores
                values[name] = arrays[name].tolist()
        return Outputs(values, arrays)

    def _explain(self, inputs: Matrix, scores: Matrix) -> tuple[list[Any], Matrix]:
        assert self._explaining is not None  # noqa: S101  # the signature offers them
        explainer, form = self._explaining
        check_work(len(inputs), explainer.cells)
        explained = explainer.of(inputs)
        check_sums(explained, scores[:, -explainer.outputs :])
        return form.rows(explained), form.array(explained)

    def _named(self, probabilities: Matrix) -> list[Any]:
        keys = self._keys
        return [dict(zip(keys, row, strict=True)) for row in probabilities.tolist()]


def _explaining(made: plan.Plan, final: Final) -> tuple[Contributions, Form]:
    explainer = Contributions(made, final.trees)
    return explainer, Form(made.signature, explainer.scale, explainer.outputs)


def read_plan(data: bytes) -> Backend:
    """Make a backend of a plan that a hostile model may have written. Raises `PlanRefused`."""
    made = decode(data)
    # What overflows is refused or is a prediction, as with the original; in the log it is no news.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module=__package__)
    if isinstance(made, plan.NetworkPlan):
        return _network_backend(made)
    validate(made)
    return KernelBackend(made)


def _network_backend(made: plan.NetworkPlan) -> Backend:
    # Only where there is one: most models need none of what serves tensors.
    from modelport_runtime.core.acceleration.networks.session import backend_of

    return backend_of(made)
