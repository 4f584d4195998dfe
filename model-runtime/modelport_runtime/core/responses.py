"""What the model gave → JSON: exact numbers, null where JSON has no number, classes by their JSON text."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import orjson

from modelport_runtime.core.types import LoadError, Outputs, Request


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
        return _shortest(array) if array.dtype.itemsize < 8 else array.astype(np.float64, copy=False).tolist()
    if array.dtype.names and array.ndim:
        columns = [plain(array[name]) for name in array.dtype.names]
        return [dict(zip(array.dtype.names, row, strict=True)) for row in zip(*columns, strict=True)]
    return [plain(item) for item in array]


def _shortest(array: np.ndarray[Any, Any]) -> Any:
    if array.ndim == 0:
        return _shortest(array[None])[0]
    return orjson.loads(orjson.dumps(np.ascontiguousarray(array), option=orjson.OPT_SERIALIZE_NUMPY))


def _plain_object(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {class_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return _text(value)


def _text(value: Any) -> str | None:
    # Missing values of pandas, which need not be imported.
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def class_key(label: Any) -> str:
    """Return a class as an object key: its JSON text, a string as it is."""
    label = plain(label)
    if isinstance(label, str):
        return label
    return encode(label).decode()


def class_keys(classes: Iterable[Any]) -> list[str]:
    """Return the classes as different object keys: where two would share one, strings get their quotes,
    too. Raises `LoadError` where two still do.
    """
    classes = list(classes)
    keys = [class_key(label) for label in classes]
    if len(set(keys)) == len(keys):
        return keys
    keys = [encode(plain(label)).decode() for label in classes]
    if len(set(keys)) < len(keys):
        raise LoadError(
            "UnsupportedFormat",
            f"Two classes are the same in JSON ({', '.join(keys[:10])}): train the model with other labels.",
        )
    return keys


def keyed(probabilities: Any, classes: Sequence[Any]) -> list[dict[str, Any]]:
    """Name each row's probabilities (n × k) by the k classes."""
    return by_key(probabilities, class_keys(classes))


def by_key(probabilities: Any, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Name each row's probabilities (n × k) by the k keys, see `class_key`."""
    return [dict(zip(keys, row, strict=True)) for row in plain(np.asarray(probabilities))]


def by_label(probabilities: Any, keys: Sequence[Sequence[str]]) -> list[list[dict[str, Any]]]:
    """Name the probabilities (n × labels) that each label is the second of its two keys."""
    columns = np.asarray(probabilities).T
    both = [np.stack([1 - column, column], axis=1) for column in columns]
    labels = [by_key(one, pair) for one, pair in zip(both, keys, strict=True)]
    return [list(row) for row in zip(*labels, strict=True)]


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


class NativeResponses:
    """Writes the bodies that docs/api.md gives. What stands before the values is the same in all of them."""

    def __init__(self, model: str, version: str) -> None:
        self._names = {"model": model, "version": version}
        self._head = encode(self._names)[:-1]

    def write(self, request: Request, outputs: Outputs) -> bytes:
        """Write the response for one row or many."""
        body: dict[str, Any] = dict(self._names)
        for name, rows in outputs.values.items():
            if request.single:
                body[name] = rows[0]
            else:
                body["predictions" if name == "prediction" else name] = rows
        return encode(body)

    def write_each(self, outputs: Outputs) -> list[bytes]:
        """Write a response for every row, each requested alone: the same bytes in a third of the time."""
        try:
            return self._joined(outputs)
        except orjson.JSONEncodeError:
            return [self.write(_ONE_ROW, outputs.part(row, row + 1)) for row in range(outputs.rows)]

    def _joined(self, outputs: Outputs) -> list[bytes]:
        dumps, options = orjson.dumps, orjson.OPT_NON_STR_KEYS
        remaining = iter(outputs.values.items())
        name, rows = next(remaining)
        start = self._head + _key(name)
        bodies = [start + dumps(value, None, options) + b"}" for value in rows]
        for name, rows in remaining:
            key = _key(name)
            bodies = [
                b"%b%b%b}" % (body[:-1], key, dumps(value, None, options))
                for body, value in zip(bodies, rows, strict=True)
            ]
        return bodies


@cache
def _key(name: str) -> bytes:
    """Return an output's name as what stands before its value. A model has few."""
    return b",%b:" % encode(name)


_ONE_ROW = Request([], single=True, outputs=())
