"""Native LightGBM boosters (text). Wrappers saved by pickle or joblib are estimators like any other."""

from functools import cached_property
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from modelport_runtime.core.answers import keyed, plain
from modelport_runtime.core.backends.boosters import ScoringBackend, class_of_each, two_columns
from modelport_runtime.core.categories import with_booster_categories
from modelport_runtime.core.signature import Column, Signature
from modelport_runtime.core.types import LoadError

Booster = lightgbm.Booster

_END_OF_TREES = "end of trees"
_CLASSIFIES = {"binary", "multiclass", "multiclassova"}


def is_native(start: bytes) -> bool:
    """Tell a native file by its first bytes: its first line names the kind of booster."""
    return start.startswith(b"tree")


def read(path: Path) -> lightgbm.Booster:
    """Read a native file. Raises `LoadError` (CorruptArtifact) if LightGBM cannot."""
    try:
        text = path.read_text(encoding="utf-8")
        # LightGBM itself aborts the process over a file that was cut.
        if _END_OF_TREES not in text:
            raise ValueError(f"it was cut: the line {_END_OF_TREES!r} is not there")
        return lightgbm.Booster(model_str=text)
    except (lightgbm.basic.LightGBMError, UnicodeDecodeError, ValueError) as error:
        raise LoadError("CorruptArtifact", f"LightGBM cannot read the file: {error}") from error


class BoosterBackend(ScoringBackend):
    """A booster. Its classes are 0…k-1: the file holds no labels."""

    def __init__(self, booster: lightgbm.Booster, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        self._booster = booster
        self._model = booster.dump_model(num_iteration=1)
        objective = str(self._model.get("objective", "")).split(" ")[0]
        self._classifies = objective in _CLASSIFIES
        # Of each class against all others: they do not sum to 1.
        self._scores_name = "scores" if objective == "multiclassova" else "probabilities"

    @cached_property
    def signature(self) -> Signature:
        names = self._booster.feature_name()
        # What LightGBM calls the columns of an array.
        nameless = names == [f"Column_{index}" for index in range(len(names))]
        columns = with_booster_categories(self._booster, [Column(name, optional=True) for name in names])
        if nameless:
            columns = [Column(f"x{index}", optional=True) for index in range(len(names))]
        class_count = max(2, int(self._model["num_class"]))
        return Signature(
            task="classifier" if self._classifies else "regressor",
            columns=tuple(columns),
            positional=nameless,
            outputs=("prediction", self._scores_name) if self._classifies else ("prediction",),
            classes=tuple(range(class_count)) if self._classifies else None,
        )

    def _scores(self, inputs: Any) -> np.ndarray[Any, Any]:
        return np.asarray(self._booster.predict(inputs))

    def _predictions(self, scores: np.ndarray[Any, Any]) -> list[Any]:
        listed: list[Any] = class_of_each(scores) if self._classifies else plain(scores)
        return listed

    def _named(self, scores: np.ndarray[Any, Any]) -> list[Any]:
        return keyed(two_columns(scores), self.signature.classes or ())
