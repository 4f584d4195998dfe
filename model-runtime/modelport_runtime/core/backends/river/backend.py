"""Models of river, which predict one row, an object, after the other."""

from collections.abc import Callable
from typing import Any

from river import base, compose, reco, time_series

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.backends.river.seen import assembler_of, columns_of, fields_of, takes_text
from modelport_runtime.core.responses import class_key, plain
from modelport_runtime.core.signature import Signature, Task
from modelport_runtime.core.types import LoadError, Outputs

Predict = Callable[[Any], Any]


def load(file: ModelFile) -> Backend:
    """Return the backend of a model or a pipeline. See `Framework.load`."""
    return OnlineBackend(file.unpickle(), file.libraries)


class OnlineBackend:
    """A model as it is in the file: it learns nothing from the rows that it predicts.

    Raises `LoadError` for what predicts no row.
    """

    def __init__(self, model: Any, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        last = _last(model)
        self._fields = fields_of(model)
        self._is_text = takes_text(model)
        task, method = _task(last)
        self._methods: dict[str, Predict] = {"prediction": getattr(model, method)}
        if task == "classifier" and _gives_probabilities(last):
            self._methods["probabilities"] = model.predict_proba_one
        self.signature = Signature(
            task=task,
            columns=columns_of(self._fields) if self._fields else None,
            # Names of an array's columns are their places.
            positional=bool(self._fields) and not any(isinstance(name, str) for name in self._fields or ()),
            input="text" if self._is_text else "rows",
            outputs=tuple(self._methods),
        )

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        return assembler_of(self._fields) if self._fields else list

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        return Outputs({name: [_read(self._methods[name](row)) for row in inputs] for name in wanted})


def _read(given: Any) -> Any:
    if isinstance(given, dict):
        return {class_key(key): plain(value) for key, value in given.items()}
    return plain(given)


def _last(model: Any) -> Any:
    """Return what predicts in the end."""
    if isinstance(model, compose.Pipeline):
        steps = list(model.steps.values())
        return _last(steps[-1]) if steps else model
    return model


_TASKS: tuple[tuple[Any, Task, str], ...] = (
    (base.Classifier, "classifier", "predict_one"),
    (base.MultiLabelClassifier, "generic", "predict_one"),
    (base.Regressor, "regressor", "predict_one"),
    (base.MultiTargetRegressor, "regressor", "predict_one"),
    ((base.AnomalyDetector, base.SupervisedAnomalyDetector), "outlier", "score_one"),
    (base.Clusterer, "clusterer", "predict_one"),
    ((base.BaseTransformer, compose.TransformerUnion), "transformer", "transform_one"),
)


def _task(model: Any) -> tuple[Task, str]:
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    if isinstance(model, type):
        raise LoadError("NotAModel", f"The file holds the class {model.__qualname__}, not an object of it.")
    if isinstance(model, time_series.base.Forecaster):
        raise LoadError(
            "UnsupportedFormat",
            f"A {kind} forecasts steps that follow its own series, and no rows. Use a regressor whose rows "
            "hold what a step is known by, such as the values before it.",
        )
    if isinstance(model, reco.base.Ranker):
        raise LoadError(
            "UnsupportedFormat",
            f"A {kind} predicts for a user and an item, which stand outside the row. Use a model whose rows "
            "hold both, such as facto.FMRegressor.",
        )
    found = next(((task, method) for of, task, method in _TASKS if isinstance(model, of)), None)
    if found is None:
        raise LoadError("NotAModel", f"The file holds a {kind}, which predicts no row.")
    return found


def _gives_probabilities(model: Any) -> bool:
    """The method of the base class stands for having none."""
    return type(model).predict_proba_one is not base.Classifier.predict_proba_one
