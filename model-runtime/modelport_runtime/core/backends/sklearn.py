"""scikit-learn estimators, and whatever else has their methods: joblib, pickle and skops files."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from modelport_runtime.core import estimators
from modelport_runtime.core.answers import plain
from modelport_runtime.core.backends.estimator_outputs import EstimatorOutputs
from modelport_runtime.core.backends.stages import forget_names, stages_of
from modelport_runtime.core.frames import as_array, as_frame
from modelport_runtime.core.outputs import Outputs
from modelport_runtime.core.signature import Signature, Task
from modelport_runtime.core.types import LoadError


class EstimatorBackend:
    """A fitted estimator. Raises `LoadError` (NotAModel) if it is none."""

    def __init__(self, estimator: Any, libraries: dict[str, str]) -> None:
        check_is_model(estimator)
        self.libraries = libraries
        self.estimator = estimator
        # Asked one by one: a pipeline would check before each call that all of them are fitted.
        *self._transformers, final = stages_of(estimator)
        self._outputs = EstimatorOutputs(estimator, final)

    @cached_property
    def signature(self) -> Signature:
        estimator = self.estimator
        texts = estimators.takes_texts(estimator)
        columns = None if texts else estimators.describe_columns(estimator)
        return Signature(
            task=_task(estimator),
            columns=columns,
            positional=columns is not None and estimators.feature_names(estimator) is None,
            input="text" if texts else "rows",
            outputs=self._outputs.names,
            classes=_classes(estimator),
        )

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        if signature.input == "text":
            return list
        if signature.columns is None:
            return _as_given
        if estimators.feature_names(self.estimator) is None:
            return as_array(signature.columns)
        if forget_names(self.estimator, signature.columns):
            return as_array(signature.columns)
        return as_frame(signature.columns)

    def answer(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        return self._outputs.of(self._transform(inputs), wanted)

    def _transform(self, inputs: Any) -> Any:
        for transformer in self._transformers:
            inputs = transformer.transform(inputs)
        return inputs


def check_is_model(candidate: Any) -> None:
    """Raise NotAModel, saying what it is instead, unless it is fitted and can predict or transform."""
    kind = f"{type(candidate).__module__}.{type(candidate).__qualname__}".removeprefix("builtins.")
    if isinstance(candidate, type):
        raise LoadError(
            "NotAModel", f"The file holds the class {candidate.__qualname__}, not a fitted object of it."
        )
    if not hasattr(candidate, "predict") and not hasattr(candidate, "transform"):
        raise LoadError("NotAModel", f"The file holds a {kind}, which has neither predict nor transform.")
    if not _is_fitted(candidate):
        raise LoadError(
            "NotAModel", f"The file holds a {kind} that is not fitted: call fit before saving it."
        )


def _is_fitted(candidate: Any) -> bool:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if not hasattr(candidate, "fit") or not hasattr(candidate, "__sklearn_tags__"):
        return True
    try:
        check_is_fitted(candidate)
    except NotFittedError:
        return False
    return True


def _task(estimator: Any) -> Task:
    from sklearn import base

    if not hasattr(estimator, "predict"):
        return "transformer"
    if not hasattr(estimator, "__sklearn_tags__"):
        return "classifier" if hasattr(estimator, "classes_") else "generic"
    checks: list[tuple[Callable[[Any], bool], Task]] = [
        (base.is_classifier, "classifier"),
        (base.is_regressor, "regressor"),
        (base.is_clusterer, "clusterer"),
        (base.is_outlier_detector, "outlier"),
    ]
    return next((task for check, task in checks if check(estimator)), "generic")


def _classes(estimator: Any) -> tuple[Any, ...] | None:
    classes = getattr(estimator, "classes_", None)
    if classes is None or not isinstance(classes, Sequence | np.ndarray):
        return None
    return tuple(plain(label) for label in classes)


def _as_given(rows: list[Any]) -> Any:
    """A model of unknown width: objects stay objects (DictVectorizer), lists become an array."""
    return rows if isinstance(rows[0], dict) else np.array(rows)
