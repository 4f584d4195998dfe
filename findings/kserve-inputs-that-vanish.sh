#!/usr/bin/env bash
# kserve 0.21.0: what `get_predict_input`, with which its own model servers read a request of the Open Inference
# Protocol, makes of one and the same request hangs on how it came, and some of it vanishes without an error:
# - Of several inputs without the parameter content_type=pd, all but the first are dropped.
# - With content_type=pd, and the tensors in raw_input_contents of gRPC, what `set_data_from_numpy` sends by default,
#   the frame has its columns and no rows.
# - Text of shape [2, 2] is a flat list of str from REST, and an array of that shape of bytes from gRPC.
# Seen: columns a and s; 2 rows from JSON, binary REST and gRPC contents, 0 rows from raw gRPC.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "kserve==0.21.0" "numpy==2.4.6"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from kserve import InferInput, InferRequest
from kserve.protocol.rest.v2_datamodels import InferenceRequest
from kserve.utils.utils import get_predict_input

FRAME = {"content_type": "pd"}
numbers = np.array([[0.5], [2]], dtype=np.float32)
words = np.array([["x"], ["y"]], dtype=object)
table = np.array([["a", "b"], ["c", "d"]], dtype=object)


def tensor(name, values, datatype, binary):
    made = InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values, binary_data=binary)
    return made


def rest_json(inputs, parameters):
    body = [
        {"name": name, "shape": list(values.shape), "datatype": datatype, "data": values.ravel().tolist()}
        for name, values, datatype in inputs
    ]
    parsed = InferenceRequest.model_validate({"inputs": body, "parameters": parameters})
    return InferRequest.from_inference_request(parsed, "m")


def rest_binary(inputs, parameters):
    request = InferRequest("m", [tensor(*each, binary=True) for each in inputs], parameters=parameters)
    body, json_length = request.to_rest()
    return InferRequest.from_bytes(body, json_length, "m")


def grpc(inputs, parameters, binary):
    message = InferRequest("m", [tensor(*each, binary) for each in inputs], parameters=parameters).to_grpc()
    return InferRequest.from_grpc(type(message).FromString(message.SerializeToString()))


def grpc_contents(inputs, parameters):
    return grpc(inputs, parameters, binary=False)


def grpc_raw(inputs, parameters):
    return grpc(inputs, parameters, binary=True)


two = [("a", numbers, "FP32"), ("s", words, "BYTES")]
for way in (rest_json, rest_binary, grpc_contents, grpc_raw):
    frame = get_predict_input(way(two, FRAME))
    first = get_predict_input(way(two, None))
    text = get_predict_input(way([("t", table, "BYTES")], None))
    print(f"{way.__name__}: {list(frame.columns)} with {len(frame)} rows; without pd {first.tolist()}; text {text!r}")
    assert list(frame.columns) == ["a", "s"] and len(frame) == (0 if way is grpc_raw else 2)
    assert np.array_equal(first, numbers)
    if way in (rest_json, rest_binary):
        assert text == ["a", "b", "c", "d"]
    else:
        assert text.tolist() == [[b"a", b"b"], [b"c", b"d"]]
    # The request itself still has all of it.
    assert [np.shape(each.as_numpy()) for each in way(two, FRAME).inputs] == [(2, 1), (2, 1)]
PYTHON
