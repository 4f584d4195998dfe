"""What the model gave → JSON: exact numbers, null where JSON has no number, classes by their JSON text."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import orjson

from modelport_runtime.core.types import Request


class Outputs(msgspec.Struct, frozen=True, gc=False):
    """Per-row results of one model call as JSON values; a list is absent when it was not asked for."""

    prediction: list[Any] | None = None
    probabilities: list[Any] | None = None

    def part(self, start: int, stop: int) -> "Outputs":
        """Give the rows of one request out of a batch."""
        cut = slice(start, stop)
        return Outputs(
            None if self.prediction is None else self.prediction[cut],
            None if self.probabilities is None else self.probabilities[cut],
        )


def plain(value: Any) -> Any:
    """Turn arrays, sparse matrices and NumPy scalars into lists and scalars that orjson writes exactly."""
    if hasattr(value, "toarray"):
        value = value.toarray()
    if isinstance(value, np.ndarray):
        return _plain_array(value)
    if isinstance(value, np.datetime64 | np.timedelta64):
        return None if np.isnat(value) else str(value)
    if isinstance(value, np.generic):
        return plain(value.item())
    return _plain_object(value)


def _plain_array(array: np.ndarray[Any, Any]) -> Any:
    if array.dtype.kind in "biuU":
        return array.tolist()
    if array.dtype.kind == "f":
        # A float32 written as a double has digits that the model never computed.
        return _shortest(array) if array.dtype.itemsize < 8 else array.tolist()
    return [plain(item) for item in array]


def _shortest(array: np.ndarray[Any, Any]) -> Any:
    return orjson.loads(orjson.dumps(np.ascontiguousarray(array), option=orjson.OPT_SERIALIZE_NUMPY))


def _plain_object(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {class_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def class_key(label: Any) -> str:
    """Give a class as an object key: its JSON text, a string as it is."""
    label = plain(label)
    if isinstance(label, str):
        return label
    return encode(label).decode()


def keyed(probabilities: Any, classes: Sequence[Any]) -> list[dict[str, Any]]:
    """Name each row's probabilities (n × k) by the k classes."""
    return by_key(probabilities, [class_key(label) for label in classes])


def by_key(probabilities: Any, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Name each row's probabilities (n × k) by the k keys, see `class_key`."""
    return [dict(zip(keys, row, strict=True)) for row in plain(np.asarray(probabilities))]


def encode(value: Any) -> bytes:
    """Write JSON; NaN and infinities become null, integers of any size stay integers."""
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        return _encode_slowly(value)


def _encode_slowly(value: Any) -> bytes:
    """orjson refuses integers beyond 64 bits and lone surrogates; the standard library writes both."""
    import json

    return json.dumps(_finite(value), separators=(",", ":")).encode()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value


class NativeAnswers:
    """Writes the bodies that docs/api.md gives. What stands before the values is the same in all of them."""

    def __init__(self, model: str, version: str) -> None:
        self._names = {"model": model, "version": version}
        self._head = encode(self._names)[:-1]

    def write(self, request: Request, outputs: Outputs) -> bytes:
        """Write the answer for one row or many."""
        body: dict[str, Any] = dict(self._names)
        if outputs.prediction is not None:
            name, value = (
                ("prediction", outputs.prediction[0])
                if request.single
                else ("predictions", outputs.prediction)
            )
            body[name] = value
        if outputs.probabilities is not None:
            body["probabilities"] = outputs.probabilities[0] if request.single else outputs.probabilities
        return encode(body)

    def write_each(self, outputs: Outputs) -> list[bytes]:
        """Write an answer for every row, each asked for alone: the same bytes in a third of the time."""
        try:
            return self._joined(outputs)
        except orjson.JSONEncodeError:
            return [self.write(_ONE_ROW, outputs.part(row, row + 1)) for row in range(_rows(outputs))]

    def _joined(self, outputs: Outputs) -> list[bytes]:
        dumps, options = orjson.dumps, orjson.OPT_NON_STR_KEYS
        head, predictions, probabilities = self._head, outputs.prediction, outputs.probabilities
        first = head + b',"prediction":'
        if predictions is None:
            first, predictions, probabilities = head + b',"probabilities":', probabilities or [], None
        if probabilities is None:
            return [first + dumps(value, None, options) + b"}" for value in predictions]
        return [
            b'%b%b,"probabilities":%b}' % (first, dumps(value, None, options), dumps(named, None, options))
            for value, named in zip(predictions, probabilities, strict=True)
        ]


_ONE_ROW = Request([], single=True, outputs=())


def _rows(outputs: Outputs) -> int:
    return len(outputs.prediction if outputs.prediction is not None else outputs.probabilities or [])
