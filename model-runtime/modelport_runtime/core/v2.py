"""The Open Inference Protocol (v2), its JSON form: tensors in, tensors out, model metadata."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from modelport_runtime.core.answers import encode
from modelport_runtime.core.outputs import Outputs
from modelport_runtime.core.rows import Problems, RowDecoder, parse_object, refuse
from modelport_runtime.core.signature import Column, Signature
from modelport_runtime.core.typed_tensors import matrix_reader
from modelport_runtime.core.types import Request
from modelport_runtime.core.values import json_type

_FLOATS = {"FP16", "FP32", "FP64"}
_INTEGERS = {"INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"}
_DATATYPES = _FLOATS | _INTEGERS | {"BOOL", "BYTES"}
_COLUMN_DATATYPES = {"number": "FP64", "integer": "INT64", "boolean": "BOOL", "string": "BYTES"}
_MAX_DIMENSIONS = 32
_OUTPUT_NAMES = {"prediction": "predict", "probabilities": "predict_proba"}
_REQUESTED = {name: output for output, name in _OUTPUT_NAMES.items()}


class Echo(msgspec.Struct, frozen=True, gc=False):
    """What the answer repeats of its request."""

    id: str | None


@dataclass(frozen=True)
class _Tensor:
    """One input, its data flattened in row-major order."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]

    @property
    def rows(self) -> int:
        return self.shape[0]

    def row_values(self, index: int) -> Any:
        """Give one row: a scalar, a list, or lists of lists, as the shape has it."""
        width = len(self.data) // self.rows
        return _nested(self.data[index * width : (index + 1) * width], self.shape[1:])


class Protocol:
    """Reads and writes v2 for one model."""

    def __init__(self, signature: Signature, decoder: RowDecoder, *, model: str, version: str) -> None:
        self._signature = signature
        self._decoder = decoder
        self._model = model
        self._version = version
        self._read_matrix = matrix_reader(signature, _DATATYPES)

    def decode(self, body: bytes) -> tuple[Request, Echo]:
        """Read an infer request. Raises `Refused`: 400 not JSON, 422 naming `inputs[i].…`."""
        typed = self._read_matrix(body)
        return self.decode_described(body) if typed is None else (typed[0], Echo(typed[1]))

    def decode_described(self, body: bytes) -> tuple[Request, Echo]:
        """Read it value by value: slower than `matrix_reader`, but takes all bodies and words all errors."""
        parsed = parse_object(body)
        tensors = _read_tensors(parsed.get("inputs"))
        outputs = self._wanted(parsed.get("outputs"))
        rows = self._decoder.read_rows(self._rows(tensors), None)
        identifier = parsed.get("id")
        if identifier is not None and not isinstance(identifier, str):
            raise refuse("id", f"must be a string, not {json_type(identifier)}")
        return Request(rows, False, outputs), Echo(identifier)

    def encode(self, echo: Echo, outputs: Outputs) -> bytes:
        """Write an infer response: `predict`, and `predict_proba` with one column a class."""
        tensors = []
        for output, rows in outputs.values.items():
            if output == "probabilities":
                tensors.append(_write_probabilities(rows))
            else:
                tensors.append(_write_tensor(_OUTPUT_NAMES.get(output, output), rows))
        body: dict[str, Any] = {"model_name": self._model, "model_version": self._version, "outputs": tensors}
        if echo.id is not None:
            body["id"] = echo.id
        return encode(body)

    def metadata(self) -> dict[str, Any]:
        """Describe inputs and outputs; -1 is a free dimension."""
        outputs = [{"name": "predict", "datatype": self._prediction_datatype(), "shape": [-1]}]
        if "probabilities" in self._signature.outputs:
            width = len(self._signature.classes) if self._signature.classes else -1
            outputs.append({"name": "predict_proba", "datatype": "FP64", "shape": [-1, width]})
        return {
            "name": self._model,
            "versions": [self._version],
            "platform": "modelport",
            "inputs": self._input_metadata(),
            "outputs": outputs,
        }

    def _input_metadata(self) -> list[dict[str, Any]]:
        columns = self._signature.columns
        if self._signature.input == "text":
            return [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
        if columns is None:
            return [{"name": "input", "datatype": "FP64", "shape": [-1, -1]}]
        if self._signature.positional and all(column.kind == "number" for column in columns):
            return [{"name": "input", "datatype": "FP64", "shape": [-1, len(columns)]}]
        return [_column_metadata(column) for column in columns]

    def _prediction_datatype(self) -> str:
        classes = self._signature.classes or ()
        if self._signature.task == "classifier" and classes:
            return _datatype_of(list(classes))
        return "INT64" if self._signature.task in ("clusterer", "outlier") else "FP64"

    def _wanted(self, asked: Any) -> tuple[str, ...]:
        if asked is None:
            return self._signature.usual_outputs
        if not isinstance(asked, list) or not asked:
            raise refuse("outputs", "must be a list of objects with a name")
        wanted = []
        for index, output in enumerate(asked):
            name = output.get("name") if isinstance(output, dict) else None
            if not isinstance(name, str) or self._output(name) is None:
                have = ", ".join(_OUTPUT_NAMES.get(name, name) for name in self._signature.outputs)
                raise refuse(f"outputs[{index}].name", f"must be one of the model's outputs: {have}")
            wanted.append(self._output(name))
        return tuple(name for name in self._signature.outputs if name in wanted)

    def _output(self, name: str) -> str | None:
        output = _REQUESTED.get(name, name)
        return output if output in self._signature.outputs and name not in _OUTPUT_NAMES else None

    def _rows(self, tensors: list[_Tensor]) -> list[Any]:
        count = tensors[0].rows
        if any(tensor.rows != count for tensor in tensors):
            raise refuse("inputs", "must all have the same number of rows (their shape's first size)")
        if self._signature.input == "text" and tensors[0].shape[1:] in ([], [1]):
            return tensors[0].data
        if len(tensors) == 1 and self._is_matrix(tensors[0]):
            return [tensors[0].row_values(index) for index in range(count)]
        values = [self._cell_reader(tensor) for tensor in tensors]
        names = [tensor.name for tensor in tensors]
        if self._signature.positional:
            return self._by_place(dict(zip(names, values, strict=True)), count)
        return [
            {name: value(index) for name, value in zip(names, values, strict=True)} for index in range(count)
        ]

    def _by_place(self, values: dict[str, Callable[[int], Any]], count: int) -> list[Any]:
        """A model without names has places only, and what is called otherwise stands at none of them."""
        places = [column.name for column in self._signature.columns or ()]
        problems = Problems()
        for index, name in enumerate(values):
            if name not in places:
                problems.add(
                    f"inputs[{index}].name",
                    f"is {name!r}, but the columns of this model are {_shown(places)}",
                )
        problems.raise_if_any()
        if len(values) < len(places):
            missing = [name for name in places if name not in values]
            raise refuse("inputs", f"must hold a tensor for each column: {_shown(missing)} missing")
        return [[values[name](index) for name in places] for index in range(count)]

    def _is_matrix(self, tensor: _Tensor) -> bool:
        """One tensor holds whole rows, unless it is the column of that name."""
        columns = self._signature.columns
        return columns is None or [column.name for column in columns] != [tensor.name]

    def _cell_reader(self, tensor: _Tensor) -> Callable[[int], Any]:
        """A column may be sent as [n] or as [n, 1]; a tensor column keeps its dimensions."""
        column = next((c for c in self._signature.columns or () if c.name == tensor.name), None)
        if tensor.shape[1:] == [1] and not (column is not None and column.kind == "tensor"):
            return lambda index: tensor.data[index]
        return tensor.row_values


def _shown(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{names[0]}, {names[1]} … {names[-1]}"


def _column_metadata(column: Column) -> dict[str, Any]:
    if column.kind == "tensor":
        shape = [-1 if size is None else size for size in column.shape or ()]
        return {"name": column.name, "datatype": "FP64", "shape": [-1, *shape]}
    return {"name": column.name, "datatype": _COLUMN_DATATYPES.get(column.kind, "BYTES"), "shape": [-1]}


def _read_tensors(inputs: Any) -> list[_Tensor]:
    if not isinstance(inputs, list) or not inputs:
        raise refuse("inputs", "must be a list of tensors, at least one")
    problems = Problems()
    tensors = [_read_tensor(tensor, f"inputs[{index}]", problems) for index, tensor in enumerate(inputs)]
    problems.raise_if_any()
    names = [tensor.name for tensor in tensors if tensor is not None]
    if len(set(names)) != len(names):
        raise refuse("inputs", "must have different names")
    return [tensor for tensor in tensors if tensor is not None]


def _read_tensor(tensor: Any, path: str, problems: Problems) -> _Tensor | None:
    if not isinstance(tensor, dict):
        problems.add(path, f"must be an object, not {json_type(tensor)}")
        return None
    known = problems.total
    parts: list[Any] = [tensor.get(key) for key in ("name", "shape", "datatype", "data")]
    name, shape, datatype, data = parts
    if not isinstance(name, str):
        problems.add(f"{path}.name", "must be a string")
    if not _is_shape(shape):
        problems.add(f"{path}.shape", "must be a list of sizes, the first the number of rows, none zero")
    if not isinstance(datatype, str) or datatype not in _DATATYPES:
        problems.add(f"{path}.datatype", f"must be one of {', '.join(sorted(_DATATYPES))}")
    if not isinstance(data, list):
        problems.add(f"{path}.data", "must be a list, flat or nested (binary tensors are not supported)")
    if problems.total > known:
        return None
    flat = _flat(data)
    if len(flat) != _size(shape):
        problems.add(f"{path}.data", f"has {len(flat)} values, but the shape asks for {_size(shape)}")
        return None
    return _Tensor(name, shape, datatype, flat)


def _is_shape(shape: Any) -> bool:
    if not isinstance(shape, list) or not 1 <= len(shape) <= _MAX_DIMENSIONS:
        return False
    return all(type(size) is int and size > 0 for size in shape)


def _size(shape: list[int]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _flat(data: list[Any], levels: int = _MAX_DIMENSIONS) -> list[Any]:
    """Lists below the last level stay as they are: a sender may nest them without end."""
    if list not in set(map(type, data)):
        return data
    flat = []
    for item in data:
        if isinstance(item, list) and levels > 1:
            flat += _flat(item, levels - 1)
        else:
            flat.append(item)
    return flat


def _nested(values: list[Any], shape: list[int]) -> Any:
    if not shape:
        return values[0]
    step = len(values) // shape[0]
    return [_nested(values[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def _write_probabilities(rows: list[Any]) -> dict[str, Any]:
    widths = {len(row) if type(row) is dict else None for row in rows}
    if len(widths) == 1 and None not in widths:
        data = [value for row in rows for value in row.values()]
        if set(map(type, data)) == {float}:
            shape = [len(rows), *widths]
            return {"name": "predict_proba", "shape": shape, "datatype": "FP64", "data": data}
    return _write_tensor("predict_proba", [_class_free(row) for row in rows])


def _class_free(row: Any) -> Any:
    """Drop the class names: in a tensor the order of the classes says it."""
    if isinstance(row, dict):
        return list(row.values())
    return [_class_free(item) for item in row]


def _write_tensor(name: str, rows: list[Any]) -> dict[str, Any]:
    shape = [len(rows)]
    level: Any = rows[0]
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0] if level else None
    data = _flat(rows)
    if len(data) != _size(shape) or any(isinstance(item, dict) for item in data):
        # Rows of several outputs or unequal lengths are no tensor: each row goes as its JSON text.
        return {
            "name": name,
            "shape": [len(rows)],
            "datatype": "BYTES",
            "data": [encode(row).decode() for row in rows],
        }
    return {"name": name, "shape": shape, "datatype": _datatype_of(data), "data": data}


def _datatype_of(values: list[Any]) -> str:
    types = {type(value) for value in values if value is not None}
    if types == {bool}:
        return "BOOL"
    if types == {int}:
        return "INT64"
    return "FP64" if types <= {int, float} else "BYTES"
