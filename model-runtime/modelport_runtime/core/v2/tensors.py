"""The inputs of a request, in JSON or binary: names, shapes and values that fit their datatypes."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from modelport_http.wording import counted

from modelport_runtime.core.rows import Problems, reject
from modelport_runtime.core.types import Unfit
from modelport_runtime.core.v2 import binary, content_types
from modelport_runtime.core.v2.datatypes import DTYPES, fitting
from modelport_runtime.core.values import json_type

_MAX_DIMENSIONS = 32
SHAPE = "must be a list of sizes, the first the number of rows, none zero"
_MAX_FLOAT64_INTEGER = 2**53
"""The first integer that is none is rounded to it."""


@dataclass(frozen=True)
class Tensor:
    """One input, its data flattened in row-major order: JSON values, or an array if it came as one."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | binary.Array

    @property
    def rows(self) -> int:
        return self.shape[0] if self.shape else 1

    def whole(self) -> Any:
        """Return all of it as nested lists; of no dimension, the one value."""
        return _nested(self.values(), self.shape)

    def values(self) -> list[Any]:
        """Return the values row by row, as Python's own types."""
        return self.data if isinstance(self.data, list) else self.data.tolist()

    def each_row(self) -> list[Any]:
        """Return each row: a scalar, a list, or lists of lists, as the shape has it."""
        values, width = self.values(), prod(self.shape[1:])
        inner = self.shape[1:]
        return [_nested(values[i * width : (i + 1) * width], inner) for i in range(self.rows)]

    def numbers(self) -> np.ndarray[Any, np.dtype[np.float64]] | None:
        """Return the tensor as float64, if it came as numbers that all are exact there."""
        if isinstance(self.data, list) or self.data.dtype.kind == "b":
            return None
        if self.data.dtype.kind in "iu" and (np.abs(self.data.astype(float)) >= _MAX_FLOAT64_INTEGER).any():
            return None
        return self.data.astype(np.float64).reshape(self.shape)


def read(inputs: Any, raw: bytes) -> list[Tensor]:
    """Read the `inputs` of a request; `raw`: what stands behind its JSON. Raises `Rejected`."""
    if not isinstance(inputs, list) or not inputs:
        raise reject("inputs", "must be a list of tensors, at least one")
    reader = _Reader(raw)
    tensors = [reader.read(tensor, f"inputs[{index}]") for index, tensor in enumerate(inputs)]
    reader.problems.raise_if_any()
    reader.finish()
    read = [tensor for tensor in tensors if tensor is not None]
    if len({tensor.name for tensor in read}) != len(read):
        raise reject("inputs", "must have different names")
    return read


class _Reader:
    """One tensor after the other, and through the raw bytes on the way."""

    def __init__(self, raw: bytes) -> None:
        self.problems = Problems()
        self._raw = raw
        self._at = 0

    def read(self, tensor: Any, path: str) -> Tensor | None:
        """Return a tensor, or None and note what is wrong."""
        if not isinstance(tensor, dict):
            self.problems.add(path, f"must be an object, not {json_type(tensor)}")
            return None
        known = self.problems.total
        size = self._binary_size(tensor.get("parameters"), path)
        self._check(tensor, size is not None, path)
        if self.problems.total > known:
            return None
        try:
            return Tensor(tensor["name"], tensor["shape"], tensor["datatype"], self._values(tensor, size))
        except Unfit as unfit:
            place = "" if unfit.index is None else f"[{unfit.index}]"
            self.problems.add(f"{path}.data{place}", str(unfit))
            return None

    def finish(self) -> None:
        """Raises `Rejected` if there are bytes of no tensor."""
        if left := len(self._raw) - self._at:
            raise reject("inputs", f"have no tensor for the last {counted(left, 'byte')} of the body")

    def _check(self, tensor: dict[str, Any], is_binary: bool, path: str) -> None:
        datatype, data, add = tensor.get("datatype"), tensor.get("data"), self.problems.add
        if not isinstance(tensor.get("name"), str):
            add(f"{path}.name", "must be a string")
        if not _is_shape(tensor.get("shape")):
            add(f"{path}.shape", SHAPE)
        if not isinstance(datatype, str) or datatype not in DTYPES:
            add(f"{path}.datatype", f"must be one of {', '.join(sorted(DTYPES))}")
        try:
            content_types.check_tensor(content_type_of(tensor), datatype)
        except Unfit as unfit:
            add(f"{path}.parameters.content_type", str(unfit))
        if is_binary and data is not None:
            add(f"{path}.data", "must not be given together with parameters.binary_data_size")
        elif not is_binary and not isinstance(data, list):
            add(f"{path}.data", "must be a list, flat or nested, or come behind the JSON as bytes")

    def _values(self, tensor: dict[str, Any], size: int | None) -> list[Any] | binary.Array:
        values = self._raw_values(tensor, size)
        return content_types.decoded(values, content_type_of(tensor))

    def _raw_values(self, tensor: dict[str, Any], size: int | None) -> list[Any] | binary.Array:
        if size is None:
            return _from_json(tensor["data"], tensor["shape"], tensor["datatype"])
        raw = self._raw[self._at : self._at + size]
        self._at += size
        return _from_bytes(raw, tensor["shape"], tensor["datatype"])

    def _binary_size(self, parameters: Any, path: str) -> int | None:
        given = parameters if isinstance(parameters, dict) else {}
        if "shared_memory_region" in given:
            self.problems.add(f"{path}.parameters", "must not name shared memory: send the data itself")
        size = given.get("binary_data_size")
        if size is None:
            return None
        left = len(self._raw) - self._at
        if type(size) is not int or not 0 <= size <= left:
            field = f"{path}.parameters.binary_data_size"
            self.problems.add(field, f"must be a number of bytes that are in the body: at most {left} here")
            return 0
        return size


def content_type_of(holder: dict[str, Any]) -> Any:
    """Return what the parameters of a request or of a tensor declare of its content."""
    parameters = holder.get("parameters")
    return parameters.get("content_type") if isinstance(parameters, dict) else None


def _from_bytes(raw: bytes, shape: list[int], datatype: str) -> list[Any] | binary.Array:
    values = binary.read(raw, datatype, prod(shape))
    if not isinstance(values, list) and values.dtype.kind == "f" and np.isinf(values).any():
        raise Unfit("must be a finite number", index=int(np.isinf(values).argmax()))
    return values


def _from_json(data: list[Any], shape: list[int], datatype: str) -> list[Any]:
    if datatype == "FP16":
        raise Unfit("must come behind the JSON as bytes: FP16 is binary only. FP32 may be in JSON")
    flat = flat_list(data)
    if len(flat) != prod(shape):
        raise Unfit(f"has {counted(len(flat), 'value')}, but the shape asks for {prod(shape)}")
    return fitting(flat, datatype)


def _is_shape(shape: Any) -> bool:
    if not isinstance(shape, list) or len(shape) > _MAX_DIMENSIONS:
        return False
    return all(type(size) is int and size > 0 for size in shape)


def flat_list(data: list[Any], levels: int = _MAX_DIMENSIONS) -> list[Any]:
    """Lists below the last level stay as they are: a sender may nest them without end."""
    if list not in set(map(type, data)):
        return data
    flat = []
    for item in data:
        if isinstance(item, list) and levels > 1:
            flat += flat_list(item, levels - 1)
        else:
            flat.append(item)
    return flat


def _nested(values: list[Any], shape: list[int]) -> Any:
    if not shape:
        return values[0]
    step = len(values) // shape[0]
    return [_nested(values[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]
