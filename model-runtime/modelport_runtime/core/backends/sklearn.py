"""scikit-learn estimators, and whatever else has their methods: joblib, pickle and skops files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np

from modelport_runtime.core import no_models
from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.estimators.outputs import PREDICTING, EstimatorOutputs
from modelport_runtime.core.backends.estimators.stages import forget_names, stages_of
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.describing import Description, describe
from modelport_runtime.core.describing.tags import has_tags, kind_of
from modelport_runtime.core.frames import as_array, as_frame
from modelport_runtime.core.interpretations import Container, own_container, readings
from modelport_runtime.core.responses import plain
from modelport_runtime.core.signature import Signature, Task
from modelport_runtime.core.types import LoadError, Outputs


def load(file: ModelFile) -> Backend:
    """Return the backend of an estimator. See `Framework.load`."""
    return EstimatorBackend(file.unpickle(), file.libraries)


class EstimatorBackend:
    """A fitted estimator. Raises `LoadError` (NotAModel) if it is none."""

    def __init__(self, estimator: Any, libraries: dict[str, str]) -> None:
        check_is_model(estimator)
        self.libraries = libraries
        self.estimator = estimator
        self._container: Container | None = None
        # Called one by one: a pipeline would check before each call that all of them are fitted.
        *self._transformers, final = stages_of(estimator)
        self._outputs = EstimatorOutputs(estimator, final)

    @cached_property
    def signature(self) -> Signature:
        return self._signature(self._described)

    @cached_property
    def _described(self) -> Description:
        return describe(self.estimator)

    def readings(self, row: Any) -> Iterator[tuple[Signature, "EstimatorBackend"]]:
        """Return the signatures to try with the backends that feed the model so, the likeliest first."""
        described = describe(self.estimator, row)
        for reading in readings(described, self._signature(described), row):
            yield reading.signature, self._reading(described, reading.container)

    def _reading(self, described: Description, container: Container) -> "EstimatorBackend":
        other = copy(self)
        other._described, other._container = described, container
        return other

    @property
    def blanks_are_lost(self) -> bool:
        """True if a name may have had blanks where it has `_` now."""
        return self._described.blanks_are_lost

    def _signature(self, described: Description) -> Signature:
        estimator = self.estimator
        columns = described.columns
        return Signature(
            task=_task(estimator),
            columns=columns,
            positional=columns is not None and not described.named,
            input="text" if described.texts else "rows",
            outputs=self._outputs.names,
            classes=_classes(estimator),
        )

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        columns = signature.columns
        if signature.input == "text":
            return list
        if columns is None:
            return _as_given
        described = self._described
        if (self._container or own_container(described)) == "array" or forget_names(self.estimator, columns):
            return as_array(columns, described.none)
        return as_frame(columns, described.none)

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        return self._outputs.of(self._transform(inputs), wanted)

    def _transform(self, inputs: Any) -> Any:
        for transformer in self._transformers:
            inputs = transformer.transform(inputs)
        return inputs


def check_is_model(candidate: Any) -> None:
    """Raise NotAModel, which names what it is instead, unless it is fitted and can predict or transform."""
    kind = f"{type(candidate).__module__}.{type(candidate).__qualname__}".removeprefix("builtins.")
    if isinstance(candidate, type):
        raise LoadError(
            "NotAModel", f"The file holds the class {candidate.__qualname__}, not a fitted object of it."
        )
    if type(candidate).__module__.partition(".")[0] in no_models.OF_DATA:
        raise no_models.data(kind)
    if not any(hasattr(candidate, method) for method in PREDICTING):
        raise no_models.without_methods(kind)
    if not _is_fitted(candidate):
        raise LoadError(
            "NotAModel", f"The file holds a {kind} that is not fitted: call fit before saving it."
        )


def _is_fitted(candidate: Any) -> bool:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if not hasattr(candidate, "fit") or not has_tags(candidate):
        return True
    try:
        check_is_fitted(candidate)
    except NotFittedError:
        return False
    return True


_TASKS: Mapping[str, Task] = {
    "classifier": "classifier",
    "regressor": "regressor",
    "clusterer": "clusterer",
    "outlier_detector": "outlier",
}


def _task(estimator: Any) -> Task:
    if not hasattr(estimator, "predict"):
        return "transformer"
    if not has_tags(estimator):
        return "classifier" if hasattr(estimator, "classes_") else "generic"
    return _TASKS.get(kind_of(estimator) or "", "generic")


def _classes(estimator: Any) -> tuple[Any, ...] | None:
    classes = getattr(estimator, "classes_", None)
    if classes is None or not isinstance(classes, Sequence | np.ndarray):
        return None
    return tuple(plain(label) for label in classes)


def _as_given(rows: list[Any]) -> Any:
    """A model of unknown width: objects stay objects (DictVectorizer), lists become an array."""
    if isinstance(rows[0], dict):
        return rows
    texts = any(isinstance(value, str) for row in rows for value in row)
    # NumPy alone would make a string of each number beside a string.
    return np.array(rows, dtype=object) if texts else np.array(rows)
