"""One matrix of numbers, the commonest infer request, read by msgspec. On the terms of `typed_bodies`."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from modelport_runtime.core.signature import Signature
from modelport_runtime.core.typed_bodies import value_type
from modelport_runtime.core.v2.inputs import may_be_matrix

ReadMatrix = Callable[[bytes], tuple[list[Any], str | None, tuple[str, ...] | None] | None]
"""Gives rows, the request's id, and the names of the outputs that it requests."""

_DATATYPES = ("FP64", "FP32")
"""Of the others a value must be looked at to know if it is one: JSON's numbers are all read as floats."""


class _Output(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: str


def matrix_reader(signature: Signature) -> ReadMatrix:
    """Build the reader of bodies with one tensor of whole rows.

    For a model whose columns are not all alike, and numbers, it reads none.
    """
    columns = signature.columns or ()
    types = [value_type(column) for column in columns if column.kind == "number" and not column.optional]
    if not types or len(types) < len(columns) or None in types:
        return _read_nothing
    return _Matrices(signature, types[0]).read


class _Matrices:
    def __init__(self, signature: Signature, value: Any) -> None:
        self._signature = signature
        self._width = len(signature.columns or ())
        self._parse = msgspec.json.Decoder(_body_type(value)).decode

    def read(self, body: bytes) -> tuple[list[Any], str | None, tuple[str, ...] | None] | None:
        try:
            parsed: Any = self._parse(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        (tensor,) = parsed.inputs
        if tensor.datatype not in _DATATYPES or not self._is_matrix(tensor):
            return None
        rows = self._rows(tensor.shape, tensor.data)
        names = None if parsed.outputs is None else tuple([output.name for output in parsed.outputs])
        return None if rows is None else (rows, parsed.id, names)

    def _is_matrix(self, tensor: Any) -> bool:
        if self._width > 1 or self._signature.positional:
            return True
        return may_be_matrix(self._signature, tensor.name, tensor.shape)

    def _rows(self, shape: list[int], data: list[Any]) -> list[Any] | None:
        width = self._width
        if len(shape) != 2 or shape[1] != width:
            return None
        types = set(map(type, data))
        if types == {float} and len(data) == shape[0] * width:
            return [data[start : start + width] for start in range(0, len(data), width)]
        if types == {list} and len(data) == shape[0] and set(map(len, data)) == {width}:
            return data
        return None


def _body_type(value: Any) -> type[msgspec.Struct]:
    tensor = msgspec.defstruct(
        "Tensor",
        [("name", str), ("shape", list[int]), ("datatype", str), ("data", list[value | list[value]])],
        forbid_unknown_fields=True,
        gc=False,
    )
    inputs = Annotated[list[tensor], Meta(min_length=1, max_length=1)]  # type: ignore[valid-type]
    return msgspec.defstruct(
        "Body",
        [("inputs", inputs), ("id", str | None, None), ("outputs", list[_Output] | None, None)],
        forbid_unknown_fields=True,
        gc=False,
    )


def _read_nothing(body: bytes) -> None:
    return None
