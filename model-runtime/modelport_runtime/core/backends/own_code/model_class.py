"""`class Model` of a user's own: it loads what it needs and predicts."""

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import replace
from typing import Any

from modelport_runtime.core.backends.own_code import traces
from modelport_runtime.core.backends.own_code.giving import outputs_in
from modelport_runtime.core.backends.own_code.hints import hint_of
from modelport_runtime.core.backends.own_code.parts import Parts
from modelport_runtime.core.backends.own_code.taking import assembler_of, signature_of
from modelport_runtime.core.backends.own_code.trying import first_inputs, only
from modelport_runtime.core.responses import plain
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import LoadError, Outputs

_NAME = "predict"


def make(kind: Any, parts: Parts, libraries: dict[str, str]) -> "ModelClass":
    """Make a backend of `class Model`. Raises `LoadError`, or whatever the code raises."""
    model = kind() if isinstance(kind, type) else kind
    if not callable(getattr(model, _NAME, None)):
        raise LoadError("NotAModel", "Model has no method predict(self, rows).")
    if callable(getattr(model, "load", None)):
        model.load(parts.folder)
    return ModelClass(model, libraries)


class ModelClass:
    """See `Backend`."""

    is_refusal = staticmethod(traces.is_refusal)

    def __init__(self, model: Any, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        self._model = model
        self._classes = _classes_of(model)
        self._hint = hint_of(model.predict, _NAME)

    @property
    def signature(self) -> Signature:
        return self._signature(None)

    def readings(self, row: Any) -> Iterator[tuple[Signature, "ModelClass"]]:
        """Return the one signature: which outputs there are shows when the first row is predicted."""
        signature = self._signature(row)
        try:
            inputs = first_inputs(signature, row, self.assembler(signature))
            names = tuple(self._outputs(inputs))
        except Exception:  # noqa: BLE001  # the check of the sample meets it again, and words it
            names = signature.outputs
        yield replace(signature, outputs=names), copy(self)

    def _signature(self, row: Any) -> Signature:
        signature = signature_of(self._hint, row, _NAME)
        if self._classes is None:
            return signature
        return replace(signature, task="classifier", classes=self._classes)

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        return assembler_of(self._hint, signature)

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        return only(self._outputs(inputs), wanted, _NAME)

    def _outputs(self, rows: Any) -> dict[str, list[Any]]:
        return outputs_in(self._model.predict(rows), _NAME, self._classes)


def _classes_of(model: Any) -> tuple[Any, ...] | None:
    classes = getattr(model, "classes", None)
    if classes is None:
        return None
    listed = plain(classes)
    if not isinstance(listed, list) or not all(isinstance(each, str | int | float | bool) for each in listed):
        raise LoadError("LoadFailed", "The attribute classes of Model is no list of numbers or texts.")
    return tuple(listed)
