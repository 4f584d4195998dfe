"""CatBoost models: their own files (.cbm), and pickles of CatBoost's classes.

Any of its classes loads any file, and the wrong one predicts log-odds without a word. So what a model is, and
what its numbers mean, is read off its loss and its classes, whatever class it was saved from.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import catboost
import numpy as np

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.frames import as_array
from modelport_runtime.core.responses import by_label, keyed, plain
from modelport_runtime.core.signature import Column, Signature, positional_columns
from modelport_runtime.core.types import LoadError, Outputs

# Messages begin with where in CatBoost's source they were raised.
_PLACE = re.compile(r"^[\w./-]+:\d+: ")
# What CatBoostRegressor gives for these; of all others the formula's own value.
_PREDICTIONS = {"Poisson": "Exponent", "Tweedie": "Exponent", "RMSEWithUncertainty": "RMSEWithUncertainty"}
_OF_LABELS = {"MultiLogloss", "MultiCrossEntropy"}
# Of each class against all others: they do not sum to 1.
_SCORES = {"MultiClassOneVsAll"}
# CatBoost would take all processors, for rows that one has done before the others have begun.
_ONE_THREAD = {"thread_count": 1}


def load(file: ModelFile) -> Backend:
    """Return the backend of a model. See `Framework.load`."""
    held = _read(file) if file.is_native else file.unpickle()
    kind = type(held).__qualname__
    if not isinstance(held, catboost.CatBoost):
        raise LoadError("NotAModel", f"The file holds a {kind}, which is no CatBoost model.")
    if not held.is_fitted():
        raise LoadError(
            "NotAModel", f"The file holds a {kind} that is not fitted: call fit before saving it."
        )
    return CatBoostBackend(held, file.libraries)


def _read(file: ModelFile) -> Any:
    try:
        return catboost.CatBoost().load_model(str(file.path), format="cbm")
    except catboost.CatBoostError as error:
        line = _PLACE.sub("", str(error).strip().splitlines()[0])
        raise LoadError("CorruptArtifact", f"CatBoost cannot read the file: {line}") from error


class CatBoostBackend:
    """A model of any of CatBoost's classes. Null is refused in categories and texts, as CatBoost does."""

    def __init__(self, model: Any, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        self._model = model
        self._loss, self._takes_missing = _parameters(model)
        self._categories: list[int] = model.get_cat_feature_indices()
        self._texts: list[int] = model.get_text_feature_indices()
        if model.get_embedding_feature_indices():
            raise LoadError(
                "UnsupportedFormat", "The CatBoost model takes embeddings, which no row can hold."
            )
        self._classes = tuple(plain(model.classes_))
        self._second = "scores" if self._loss in _SCORES else "probabilities"
        self.signature = self._signature()

    def _signature(self) -> Signature:
        names: list[str] = self._model.feature_names_
        # What a model of an array has for names.
        positional = names == [str(place) for place in range(len(names))]
        blank = positional_columns(len(names)) if positional else map(Column, names)
        of_labels = self._loss in _OF_LABELS
        return Signature(
            task="classifier" if self._classes else "regressor",
            columns=tuple(self._column(place, column.name) for place, column in enumerate(blank)),
            positional=positional,
            outputs=("prediction", self._second) if self._classes else ("prediction",),
            classes=self._classes if self._classes and not of_labels else None,
        )

    def _column(self, place: int, name: str) -> Column:
        if place in self._categories:
            return Column(name, kind="string", dtype="str")
        if place in self._texts:
            return Column(name, kind="string", dtype="object")
        return Column(name, optional=self._takes_missing)

    def assembler(self, signature: Signature) -> Callable[[Any], Any]:
        texts = {"cat_features": self._categories, "text_features": self._texts}
        if not any(texts.values()):
            numbers = as_array(signature.columns or ())
            return lambda rows: catboost.Pool(numbers(rows), **_ONE_THREAD)
        return lambda rows: catboost.Pool([list(row) for row in rows], **texts, **_ONE_THREAD)

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        read = {"prediction": self._predictions, "probabilities": self._probabilities, "scores": self._scores}
        return Outputs({name: read[name](inputs) for name in wanted})

    def _predictions(self, pool: Any) -> list[Any]:
        kind = "Class" if self._classes else _PREDICTIONS.get(self._loss, "RawFormulaVal")
        found = self._ask(pool, kind)
        if self._classes and self._loss not in _OF_LABELS:
            # CatBoost gives a column where there are more than two classes.
            found = found.reshape(-1)
        return list(plain(found))

    def _probabilities(self, pool: Any) -> list[Any]:
        found = self._ask(pool, "Probability")
        if self._loss in _OF_LABELS:
            return by_label(found, [("0", "1")] * len(self._classes))
        return keyed(found, self._classes)

    def _scores(self, pool: Any) -> list[Any]:
        return list(plain(self._ask(pool, "Probability")))

    def _ask(self, pool: Any, kind: str) -> np.ndarray[Any, Any]:
        # By the base class: the others' own methods know fewer kinds.
        return np.asarray(catboost.CatBoost.predict(self._model, pool, kind, **_ONE_THREAD))


def _parameters(model: Any) -> tuple[str, bool]:
    """Return the name of the loss, empty if the file does not tell, and whether numbers may be missing."""
    try:
        kept = json.loads(model.get_metadata()["params"])
        loss = str(kept["loss_function"]["type"])
        missing = kept["data_processing_options"]["float_features_binarization"]["nan_mode"]
    except (KeyError, TypeError, ValueError):
        return "", True
    return loss, missing != "Forbidden"
