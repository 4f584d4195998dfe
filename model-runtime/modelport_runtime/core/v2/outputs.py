"""A model's outputs as tensors: what they are called, which are wanted, how they are written."""

from typing import Any

import msgspec
import numpy as np

from modelport_runtime.core.responses import encode
from modelport_runtime.core.rows import reject
from modelport_runtime.core.signature import CONTRIBUTIONS, Signature, TensorSpec
from modelport_runtime.core.types import Outputs
from modelport_runtime.core.v2 import binary
from modelport_runtime.core.v2.datatypes import DATATYPES, of_values
from modelport_runtime.core.v2.tensors import flat_list

_USUAL = {"prediction": "predict", "probabilities": "predict_proba"}
_UNSUPPORTED = ("classification", "shared_memory_region")
_CONTENT_TYPES = ("np", "pd", "str", None)
"""Of MLServer. They leave an output as it is; others would not."""


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """One tensor of a response: the name it goes by, the model's output, and whether it goes as bytes."""

    name: str
    output: str
    as_bytes: bool


class OutputTensors:
    """The outputs of one model. A graph's have their own names; others the usual ones, or their method's."""

    def __init__(self, signature: Signature) -> None:
        self._outputs = signature.outputs
        self._specs = {spec.output: spec for spec in signature.tensors_out or ()}
        reported = [output for output in signature.outputs if not self._specs or output in self._specs]
        names = {self._name(output): output for output in reported or signature.outputs}
        self.names = names
        """As metadata lists them, each with its output."""
        usual = {_USUAL[output]: output for output in names.values() if output in _USUAL}
        self._known = usual | names
        # MLServer's codecs take one output alone; a graph that only has outputs has no first among them.
        only_first = not self._specs or "prediction" in names.values()
        self._default = ("prediction",) if only_first else tuple(names.values())

    def wanted(self, requested: Any, as_bytes: bool) -> tuple[Wanted, ...]:
        """Read a request's `outputs`; as_bytes: unless an output says otherwise. Raises `Rejected`."""
        if requested is None or requested == []:
            return tuple(Wanted(self._name(output), output, as_bytes) for output in self._default)
        if not isinstance(requested, list):
            raise reject("outputs", "must be a list of objects with a name")
        wanted = tuple(
            self._one(output, f"outputs[{index}]", as_bytes) for index, output in enumerate(requested)
        )
        if len({each.name for each in wanted}) < len(wanted):
            raise reject("outputs", "must have different names")
        return wanted

    def of_model(self, wanted: tuple[Wanted, ...]) -> tuple[str, ...]:
        """Return what the model must return, in the signature's order."""
        requested = {each.output for each in wanted}
        return tuple(output for output in self._outputs if output in requested)

    def metadata(self, example: Outputs | None) -> list[dict[str, Any]]:
        """Describe them; `example`: a response, for what the file does not declare."""
        return [self._describe(name, output, example) for name, output in self.names.items()]

    def tensor(self, wanted: Wanted, outputs: Outputs) -> tuple[dict[str, Any], bytes]:
        """Return the tensor's part of the JSON, and its bytes, none if its data are there."""
        spec, rows = self._specs.get(wanted.output), outputs.values[wanted.output]
        array = outputs.arrays.get(wanted.output)
        if spec is None and wanted.output == CONTRIBUTIONS and array is not None:
            made: Made | None = _of_terms(wanted.name, array)
        else:
            made = None if spec is None or array is None else _of_array(wanted.name, rows, array, spec)
        tensor, data = made or _of_rows(wanted.name, rows)
        if not wanted.as_bytes:
            # FP16 is in binary only, and each of its values is one of FP32 too.
            datatype = "FP32" if tensor["datatype"] == "FP16" else tensor["datatype"]
            return {**tensor, "datatype": datatype, "data": data}, b""
        held = data if made is None or array is None or tensor["datatype"] == "BYTES" else array
        raw = binary.write(held, tensor["datatype"])
        return {**tensor, "parameters": {"binary_data_size": len(raw)}}, raw

    def _name(self, output: str) -> str:
        spec = self._specs.get(output)
        return spec.name if spec else _USUAL.get(output, output)

    def _one(self, requested: Any, path: str, as_bytes: bool) -> Wanted:
        name = requested.get("name") if isinstance(requested, dict) else None
        output = self._known.get(name) if isinstance(name, str) else None
        if output is None or name is None:
            raise reject(f"{path}.name", f"must be one of the model's outputs: {', '.join(self.names)}")
        parameters = requested.get("parameters")
        given = parameters if isinstance(parameters, dict) else {}
        for key in _UNSUPPORTED:
            if key in given:
                raise reject(
                    f"{path}.parameters.{key}", "is not supported here: take the output's own values"
                )
        if given.get("content_type") not in _CONTENT_TYPES:
            raise reject(f"{path}.parameters.content_type", "must be np, pd or str, or be left out")
        return Wanted(
            name, output, flag(given.get("binary_data"), f"{path}.parameters.binary_data", as_bytes)
        )

    def _describe(self, name: str, output: str, example: Outputs | None) -> dict[str, Any]:
        spec = self._specs.get(output)
        if spec is not None:
            return described(spec)
        array = example.arrays.get(output) if example else None
        if output == CONTRIBUTIONS and array is not None:
            return {"name": name, "datatype": "FP64", "shape": [-1, *array.shape[1:]]}
        rows = example.values.get(output) if example else None
        tensor = _of_rows(name, rows)[0] if rows else {"datatype": "FP64", "shape": [-1]}
        return {"name": name, "datatype": tensor["datatype"], "shape": [-1, *tensor["shape"][1:]]}


def described(spec: TensorSpec) -> dict[str, Any]:
    """Return a tensor's metadata; -1 is a free dimension."""
    shape = [-1 if size is None else size for size in spec.shape]
    return {"name": spec.name, "datatype": spec.datatype, "shape": shape}


def flag(given: Any, path: str, default: bool) -> bool:
    """Return the parameter, or its default where it is not given. Raises `Rejected`."""
    if given is None:
        return default
    if not isinstance(given, bool):
        raise reject(path, "must be true or false")
    return given


Made = tuple[dict[str, Any], list[Any]]


def _of_array(name: str, rows: list[Any], array: np.ndarray[Any, Any], spec: TensorSpec) -> Made | None:
    """A tensor as the graph gave it: its own type and shape. None: that shows too little of it."""
    if array.ndim == len(spec.shape) + 1 and len(array) == 1:
        # It has no rows: for one row it is what the graph gave.
        array = array[0]
    datatype = "BYTES" if array.dtype.kind in "OUS" else DATATYPES.get(array.dtype.name)
    data = flat_list([_class_free(row) for row in rows])
    if datatype is None or len(data) != array.size:
        return None
    return {"name": name, "shape": list(array.shape), "datatype": datatype}, data


def _of_terms(name: str, array: np.ndarray[Any, Any]) -> Made:
    """Contributions, as boosters return theirs: the columns in order, and the base last."""
    return {"name": name, "shape": list(array.shape), "datatype": "FP64"}, array.ravel().tolist()


def _of_rows(name: str, rows: list[Any]) -> Made:
    freed = [_class_free(row) for row in rows] if dict in set(map(type, _leaves(rows))) else rows
    shape, data = _shape(freed), flat_list(freed)
    if len(data) != _size(shape) or not {list, dict}.isdisjoint(map(type, data)):
        # Rows of unequal lengths or forms are no tensor: each goes as its JSON text.
        texts = [encode(row).decode() for row in rows]
        return {"name": name, "shape": [len(rows)], "datatype": "BYTES"}, texts
    datatype = of_values(data)
    if datatype == "BYTES":
        data = [value if isinstance(value, str) else encode(value).decode() for value in data]
    return {"name": name, "shape": shape, "datatype": datatype}, data


def _leaves(rows: list[Any]) -> list[Any]:
    """What stands in rows, or in the lists that rows of several labels are."""
    return [each for row in rows for each in (row if isinstance(row, list) else (row,))]


def _class_free(row: Any) -> Any:
    """Drop the class names: in a tensor the order of the classes stands for it."""
    if isinstance(row, dict):
        return list(row.values())
    return [_class_free(item) for item in row] if isinstance(row, list) else row


def _shape(rows: list[Any]) -> list[int]:
    shape, level = [len(rows)], rows[0]
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0] if level else None
    return shape


def _size(shape: list[int]) -> int:
    return int(np.prod(shape, dtype=object))
