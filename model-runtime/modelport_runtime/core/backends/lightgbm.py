"""Native LightGBM boosters (text). Wrappers saved by pickle or joblib are estimators like any other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from modelport_formats.identify import is_cut_lightgbm

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.boosters import ScoringBackend, class_of_each, two_columns, wrapper
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.describing.boosters import lightgbm_columns
from modelport_runtime.core.describing.evidence import Met
from modelport_runtime.core.describing.structure import lightgbm_names
from modelport_runtime.core.responses import keyed, plain
from modelport_runtime.core.signature import Column, Signature
from modelport_runtime.core.types import LoadError

_CLASSIFIES = {"binary", "multiclass", "multiclassova"}


def load(file: ModelFile) -> Backend:
    """Return the backend of a booster, native or pickled, or of a wrapper. See `Framework.load`."""
    held = _read(file.path) if file.is_native else file.unpickle()
    if isinstance(held, lightgbm.Booster):
        return BoosterBackend(held, file.libraries)
    return wrapper(held, file.libraries)


def _read(path: Path) -> lightgbm.Booster:
    try:
        with path.open("rb") as file:
            if is_cut_lightgbm(file):
                raise ValueError("it was cut: its trees or parameters have no end")
        return lightgbm.Booster(model_str=path.read_text(encoding="utf-8"))
    except (lightgbm.basic.LightGBMError, UnicodeDecodeError, ValueError) as error:
        raise LoadError("CorruptArtifact", f"LightGBM cannot read the file: {error}") from error


class BoosterBackend(ScoringBackend):
    """A booster. Its classes are 0…k-1: the file holds no labels."""

    blanks_are_lost = True

    def __init__(self, booster: lightgbm.Booster, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        self._booster = booster
        self._model = booster.dump_model(num_iteration=1)
        objective = str(self._model.get("objective", "")).split(" ")[0]
        self._classifies = objective in _CLASSIFIES
        # Of each class against all others: they do not sum to 1.
        self._scores_name = "scores" if objective == "multiclassova" else "probabilities"

    def _names(self) -> list[str] | None:
        return lightgbm_names(self._booster)

    def _width(self) -> int:
        return int(self._booster.num_feature())

    def _met(self, sample: Mapping[int, Any]) -> Mapping[int, Met]:
        return lightgbm_columns(self._booster, sample)

    def _signature(self, columns: tuple[Column, ...]) -> Signature:
        class_count = max(2, int(self._model["num_class"]))
        return Signature(
            task="classifier" if self._classifies else "regressor",
            columns=columns,
            positional=self._names() is None,
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
