"""Models of … in joblib and pickle files. Copy to model-runtime/modelport_runtime/core/backends/NAME.py."""

from collections.abc import Callable
from typing import Any

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.frames import as_array
from modelport_runtime.core.responses import plain
from modelport_runtime.core.signature import Column, Signature
from modelport_runtime.core.types import LoadError, Outputs


def load(file: ModelFile) -> Backend:
    """Return the backend of a model. See `Framework.load`."""
    model = file.unpickle()
    if not hasattr(model, "predict"):
        raise LoadError("NotAModel", f"The file holds a {type(model).__qualname__}, which has no predict.")
    return PredictingBackend(model, file.libraries)


class PredictingBackend:
    """A model that predicts one value for each row of numbers."""

    def __init__(self, model: Any, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        self._model = model
        columns = tuple(Column(name) for name in model.feature_names)
        self.signature = Signature(task="regressor", columns=columns, outputs=("prediction",))

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        return as_array(signature.columns or ())

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        return Outputs({"prediction": plain(self._model.predict(inputs))})
