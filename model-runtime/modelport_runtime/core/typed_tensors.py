"""One matrix of numbers, the commonest infer request, read by msgspec. On the terms of `typed_bodies`."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from modelport_runtime.core.signature import Signature
from modelport_runtime.core.typed_bodies import value_type
from modelport_runtime.core.types import Request

ReadMatrix = Callable[[bytes], tuple[Request, str | None] | None]

_OUTPUTS = {"predict": "prediction", "predict_proba": "probabilities"}


class _Output(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: str


def matrix_reader(signature: Signature, datatypes: set[str]) -> ReadMatrix:
    """Build the reader of bodies with one tensor of whole rows; it gives the request and its id, or None.

    For a model whose columns are not all alike, and numbers, it reads none.
    """
    columns = signature.columns or ()
    types = [value_type(column) for column in columns if column.kind == "number" and not column.optional]
    if not types or len(types) < len(columns) or None in types:
        return _read_nothing
    return _Matrices(signature, types[0], datatypes).read


class _Matrices:
    def __init__(self, signature: Signature, value: Any, datatypes: set[str]) -> None:
        self._width = len(signature.columns or ())
        self._datatypes = frozenset(datatypes)
        self._parse = msgspec.json.Decoder(_body_type(value)).decode
        self._outputs: dict[Any, tuple[str, ...]] = {None: signature.usual_outputs}
        for asked in (("predict",), ("predict_proba",), ("predict", "predict_proba")):
            outputs = tuple(_OUTPUTS[name] for name in asked)
            if set(outputs) <= set(signature.outputs):
                self._outputs |= {asked: outputs, asked[::-1]: outputs}

    def read(self, body: bytes) -> tuple[Request, str | None] | None:
        try:
            parsed: Any = self._parse(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        asked = None if parsed.outputs is None else tuple([output.name for output in parsed.outputs])
        outputs = self._outputs.get(asked)
        (tensor,) = parsed.inputs
        if outputs is None or tensor.datatype not in self._datatypes:
            return None
        rows = self._rows(tensor.shape, tensor.data)
        return None if rows is None else (Request(rows, False, outputs), parsed.id)

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
