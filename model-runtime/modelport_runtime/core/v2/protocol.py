"""Requests and responses as a whole: JSON, and behind it the tensors that came or go as bytes."""

import json
from contextlib import suppress
from math import prod
from typing import Any

import msgspec
import orjson

from modelport_runtime.core.responses import encode
from modelport_runtime.core.rows import RowDecoder, parse_object, reject
from modelport_runtime.core.signature import Column, Signature
from modelport_runtime.core.types import Call, Outputs, Prediction, Request, Unfit
from modelport_runtime.core.v2 import binary, content_types, tensors
from modelport_runtime.core.v2.datatypes import of_column
from modelport_runtime.core.v2.inputs import Inputs, without_nan
from modelport_runtime.core.v2.outputs import OutputTensors, Wanted, described, flag
from modelport_runtime.core.v2.typed_matrices import matrix_reader
from modelport_runtime.core.values import json_type


def config_of(metadata: dict[str, Any]) -> dict[str, Any]:
    """`max_batch_size` 0: the first size of `dims` counts rows, as in the metadata."""
    return {
        "name": metadata["name"],
        "platform": metadata["platform"],
        "max_batch_size": 0,
        "input": [_tensor(each) for each in metadata["inputs"]],
        "output": [_tensor(each) for each in metadata["outputs"]],
    }


def _tensor(described: dict[str, Any]) -> dict[str, Any]:
    datatype = described["datatype"]
    data_type = "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"
    return {"name": described["name"], "data_type": data_type, "dims": described["shape"]}


class Echo(msgspec.Struct, frozen=True, gc=False):
    """What the response repeats of its request, and which tensors it has."""

    id: str | None
    wanted: tuple[Wanted, ...]


class Protocol:
    """Reads and writes v2 for one model."""

    def __init__(self, signature: Signature, decoder: RowDecoder, *, model: str, version: str) -> None:
        self._signature = signature
        self._inputs = Inputs(signature, decoder)
        self._outputs = OutputTensors(signature)
        self._model = model
        self._version = version
        self._read_matrix = matrix_reader(signature)

    def decode(self, call: Call) -> tuple[Request, Echo]:
        """Read an infer request. Raises `Rejected`: 400 not JSON, 422 naming `inputs[i].…`."""
        typed = self._read_matrix(call.body) if call.json_bytes is None else None
        if typed is None:
            return self.decode_described(call)
        rows, identifier, names = typed
        requested = None if names is None else [{"name": name} for name in names]
        return self._request(rows, Echo(identifier, self._outputs.wanted(requested, as_bytes=False)))

    def decode_described(self, call: Call) -> tuple[Request, Echo]:
        """Read it value by value: slower than `matrix_reader`, but takes all bodies and words all errors."""
        head = call.body if call.json_bytes is None else call.body[: call.json_bytes]
        parsed = _parse(head)
        _check_content_type(parsed)
        read = tensors.read(parsed.get("inputs"), call.body[len(head) :])
        wanted = self._outputs.wanted(parsed.get("outputs"), _as_bytes(parsed.get("parameters")))
        rows = self._inputs.rows(read)
        identifier = parsed.get("id")
        if identifier is not None and not isinstance(identifier, str):
            raise reject("id", f"must be a string, not {json_type(identifier)}")
        return self._request(rows, Echo(identifier, wanted))

    def encode(self, echo: Echo, outputs: Outputs) -> Prediction:
        """Write an infer response, each tensor as it was requested."""
        written = [self._outputs.tensor(wanted, outputs) for wanted in echo.wanted]
        body: dict[str, Any] = {
            "model_name": self._model,
            "model_version": self._version,
            "outputs": [tensor for tensor, _ in written],
        }
        if echo.id is not None:
            body["id"] = echo.id
        head = encode(body)
        if not any(wanted.as_bytes for wanted in echo.wanted):
            return Prediction(head)
        return Prediction(b"".join([head, *(raw for _, raw in written)]), len(head))

    def metadata(self, example: Outputs | None) -> dict[str, Any]:
        """Describe inputs and outputs; -1 is a free dimension. `example`: a response with all outputs."""
        return {
            "name": self._model,
            "versions": [self._version],
            "platform": "modelport",
            "inputs": self._input_metadata(),
            "outputs": self._outputs.metadata(example),
        }

    def _request(self, rows: Any, echo: Echo) -> tuple[Request, Echo]:
        return Request(rows, False, self._outputs.of_model(echo.wanted)), echo

    def _input_metadata(self) -> list[dict[str, Any]]:
        signature, columns = self._signature, self._signature.columns
        if signature.tensors_in is not None:
            return [described(spec) for spec in signature.tensors_in]
        if signature.input == "text":
            return [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
        if columns is None:
            return [{"name": "input", "datatype": "FP64", "shape": [-1, -1]}]
        datatypes = {of_column(column) for column in columns}
        if (
            signature.positional
            and len(datatypes) == 1
            and all(column.kind != "tensor" for column in columns)
        ):
            return [{"name": "input", "datatype": datatypes.pop(), "shape": [-1, len(columns)]}]
        return [_column_metadata(column) for column in columns]


def read_response(prediction: Prediction) -> Any:
    """Parse a body that was written here, binary tensors read into it. Raises ValueError."""
    if prediction.json_bytes is None:
        return orjson.loads(prediction.body)
    parsed, at = orjson.loads(prediction.body[: prediction.json_bytes]), prediction.json_bytes
    for tensor in parsed["outputs"]:
        size = tensor.get("parameters", {}).get("binary_data_size", 0)
        if "data" not in tensor:
            raw = prediction.body[at : at + size]
            at += size
            data = binary.read(raw, tensor["datatype"], prod(tensor["shape"]))
            tensor["data"] = without_nan(data if isinstance(data, list) else data.tolist())
    return parsed


def _column_metadata(column: Column) -> dict[str, Any]:
    inner = column.shape or () if column.kind == "tensor" else ()
    shape = [-1, *(-1 if size is None else size for size in inner)]
    return {"name": column.name, "datatype": of_column(column), "shape": shape}


def _check_content_type(parsed: dict[str, Any]) -> None:
    try:
        content_types.check_request(tensors.content_type_of(parsed))
    except Unfit as unfit:
        raise reject("parameters.content_type", str(unfit)) from None


def _as_bytes(parameters: Any) -> bool:
    given = parameters if isinstance(parameters, dict) else {}
    return flag(given.get("binary_data_output"), "parameters.binary_data_output", False)


def _parse(head: bytes) -> dict[str, Any]:
    """Triton's client writes NaN and Infinity, which JSON does not have, where a tensor has them."""
    if b"NaN" in head or b"Infinity" in head:
        with suppress(ValueError, RecursionError):
            parsed = json.loads(head)
            if isinstance(parsed, dict):
                return parsed
    return parse_object(head)
