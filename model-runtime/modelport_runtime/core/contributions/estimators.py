"""scikit-learn's linear models and trees, explained from the arrays that their kernels would have."""

from functools import cached_property
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.backend import final_of
from modelport_runtime.core.acceleration.converters.blocks import NotConverted
from modelport_runtime.core.acceleration.converters.walk import convert
from modelport_runtime.core.acceleration.input_columns import Mixed, input_columns
from modelport_runtime.core.acceleration.kernels.contributions import Contributions, scale_of
from modelport_runtime.core.acceleration.kernels.sources import Read, reader
from modelport_runtime.core.acceleration.origins import Hints, hints_of
from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.contributions.explained import TOLERANCE, Matrix
from modelport_runtime.core.contributions.explainer import NotExplained
from modelport_runtime.core.signature import Signature

_REFERENCES = {"prediction": "prediction", "log_prediction": "prediction", "probability": "probabilities"}


class EstimatorExplainer:
    """Its arrays are made again when they are needed: most models are never asked for contributions."""

    tolerance = TOLERANCE

    def __init__(self, backend: Backend, signature: Signature) -> None:
        """Raises `NotExplained`."""
        self._backend, self._signature = backend, signature
        made = self._plan
        self.scale = scale_of(made.final)
        self._reference = _REFERENCES.get(self.scale, "decision_function")
        if self._reference not in signature.outputs:
            raise NotExplained(f"The model has no {self._reference} that contributions could add up to.")
        self.hints: Hints = hints_of(made)
        self.outputs = self._explaining[1].outputs

    @property
    def cells(self) -> int:
        return self._explaining[1].cells

    def explain(self, rows: Any, inputs: Any) -> Matrix:
        read, contributions = self._explaining
        return contributions.of(read(rows))

    def computed(self, inputs: Any) -> Matrix:
        given = self._backend.predict(inputs, (self._reference,))
        numbers = given.arrays.get(self._reference)
        array = np.asarray(given.values[self._reference] if numbers is None else numbers, dtype=np.float64)
        if self.scale == "log_prediction":
            with np.errstate(all="ignore"):
                array = np.log(array)
        return array.reshape(len(array), -1)[:, -self.outputs :]

    def forget(self) -> None:
        """Free the arrays until they are needed."""
        for name in ("_plan", "_explaining"):
            vars(self).pop(name, None)

    @cached_property
    def _plan(self) -> plan.Plan:
        try:
            made = convert(self._backend.estimator, self._signature, {})  # type: ignore[attr-defined]
            input_columns(made.part)
        except (NotConverted, Mixed) as why:
            raise NotExplained(str(why)) from None
        if isinstance(made.final, plan.Forest | plan.Boosting) and made.final.trees.covers is None:
            raise NotExplained("A tree has a node that no training row came to.")
        return made

    @cached_property
    def _explaining(self) -> tuple[Read, Contributions]:
        made = self._plan
        contributions = Contributions(made, final_of(made.final).trees)
        return reader(made.part, len(made.signature.columns or ())), contributions
