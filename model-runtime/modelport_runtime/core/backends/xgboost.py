"""Native XGBoost boosters (.json, .ubj). Wrappers saved by pickle or joblib are estimators like any other."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from modelport_formats.signatures import XGBOOST_BINARY

from modelport_runtime.core import compatibility
from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.boosters import ScoringBackend, class_of_each, two_columns, wrapper
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.describing.boosters import xgboost_columns, xgboost_missing
from modelport_runtime.core.describing.evidence import Met
from modelport_runtime.core.responses import by_label, keyed, plain
from modelport_runtime.core.signature import Column, Signature
from modelport_runtime.core.types import DamagedWhoeverSavedIt, LoadError

_PLACE = re.compile(r"^\[[\d:]+\] \S+:\d+: ")
_BINARY = {"binary:logistic", "binary:logitraw", "binary:hinge"}
_MULTICLASS = {"multi:softprob", "multi:softmax"}
_SCORES = {"binary:logistic": "probabilities", "multi:softprob": "probabilities", "binary:logitraw": "scores"}
"""What the booster's numbers are, where they are more than the prediction."""


def load(file: ModelFile) -> Backend:
    """Return the backend of a booster, native or pickled, or of a wrapper. See `Framework.load`."""
    held = compatibility.mend(_read(file.path), file.found) if file.is_native else file.unpickle()
    if isinstance(held, xgboost.Booster):
        return BoosterBackend(held, file.libraries)
    return wrapper(held, file.libraries)


def _read(path: Path) -> xgboost.Booster:
    content = bytearray(path.read_bytes())
    try:
        # A buffer, because by a path XGBoost would go by the file's name.
        return xgboost.Booster(model_file=content)
    except xgboost.core.XGBoostError as error:
        # The message begins with a time and a place in C++, and goes on with a stack trace.
        line = _PLACE.sub("", str(error).strip().splitlines()[0])
        if content.startswith(XGBOOST_BINARY):
            # What this version does not read of the format was refused before.
            raise DamagedWhoeverSavedIt(f"The file is damaged: XGBoost cannot read it ({line}).") from error
        raise LoadError("CorruptArtifact", f"XGBoost cannot read the file: {line}") from error


class BoosterBackend(ScoringBackend):
    """A booster. Its classes are 0…k-1: the file holds no labels."""

    def __init__(self, booster: xgboost.Booster, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        self._booster = booster
        self.missing = xgboost_missing(booster)
        learner = json.loads(booster.save_config())["learner"]
        self._linear = learner["gradient_booster"]["name"] == "gblinear"
        self._objective = learner["objective"]["name"]
        sizes = learner["learner_model_param"]
        self._class_count = max(2, int(sizes["num_class"]))
        self._labels = int(sizes.get("num_target", 1))

    def _names(self) -> list[str] | None:
        names = self._booster.feature_names
        return None if names is None else list(names)

    def _width(self) -> int:
        return int(self._booster.num_features())

    def _met(self, sample: Mapping[int, Any]) -> Mapping[int, Met]:
        return xgboost_columns(self._booster, sample)

    def _signature(self, columns: tuple[Column, ...]) -> Signature:
        classifies = self._objective in _BINARY | _MULTICLASS
        scores = _SCORES.get(self._objective)
        return Signature(
            task="classifier" if classifies else "regressor",
            columns=columns,
            positional=self._booster.feature_names is None,
            outputs=("prediction",) if scores is None else ("prediction", scores),
            classes=tuple(range(self._class_count)) if classifies and self._labels == 1 else None,
        )

    def _predictions(self, scores: np.ndarray[Any, Any]) -> list[Any]:
        if self._objective in _BINARY:
            # As the wrapper that loads the file, which takes the raw scores of `logitraw` for shares, too.
            classes: list[Any] = (scores > 0.5).astype(np.int64).tolist()
            return classes
        if self._objective == "multi:softmax":
            return [int(score) for score in scores]
        if self.signature.task == "classifier":
            return class_of_each(scores)
        listed: list[Any] = plain(scores)
        return listed

    def _named(self, scores: np.ndarray[Any, Any]) -> list[Any]:
        if self._labels > 1:
            return by_label(scores, [("0", "1")] * self._labels)
        return keyed(two_columns(scores), range(self._class_count))

    def _scores(self, inputs: Any) -> np.ndarray[Any, Any]:
        if self._linear:
            # It has no prediction in place, and no names to compare in the array.
            return np.asarray(
                self._booster.predict(xgboost.DMatrix(inputs, missing=self.missing), validate_features=False)
            )
        scores: np.ndarray[Any, Any] = self._booster.inplace_predict(
            inputs,
            iteration_range=self._iterations(),
            missing=self.missing,
            # The columns are in the booster's order by now, and the array has no names to compare.
            validate_features=False,
        )
        return scores

    def _iterations(self) -> tuple[int, int]:
        """A wrapper that stopped early predicts with its best iterations; a bare booster with all of them."""
        best = self._booster.attr("best_iteration")
        if best is not None and self._booster.attr("scikit_learn") is not None:
            return (0, int(best) + 1)
        return (0, 0)
