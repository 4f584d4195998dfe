#!/usr/bin/env bash
# onnx 1.23.2: `version_converter.convert_version`, which brings a model to a newer opset so that a newer runtime takes
# it, changes the answers of three operators without a word. The newer opset gave them other defaults, and the
# converter does not write down the former ones:
# - Upsample of opset 9 and Resize of opset 10 count pixels from their corners; the Resize of opset 11 that they become
#   counts from the middle of a pixel. Nearest neighbours, doubled, hide it: they come out equal.
# - Hardmax of opset 11 takes everything from axis 1 on for one row; from opset 13 on each last axis is one.
# Softmax and LogSoftmax, which changed as Hardmax did, are converted right, and so are Clip, Pad, Dropout and ReduceSum.
# An image model gives other pixels, hence other labels, after an upgrade that passes the checker and loads.
# Seen with onnxruntime 1.32.0: standard normal pixels differ by up to 4.0 (nearest) and 0.89 (linear) at 1.6 times the
#   size; Hardmax has six ones instead of two.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "onnx==1.23.2" "onnxruntime==1.32.0" "numpy==2.4.6"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper, version_converter

random = np.random.default_rng(0)
image = random.normal(size=(1, 4, 5, 5)).astype(np.float32)
cube = random.normal(size=(2, 3, 4)).astype(np.float32)


def model(opset, operator, array, scale=None, **attributes):
    """One operator; what it needs beside the array, a scale, is a constant."""
    constants = [] if scale is None else [numpy_helper.from_array(np.array([1, 1, scale, scale], np.float32), "scale")]
    node = helper.make_node(operator, ["x", *(each.name for each in constants)], ["y"], **attributes)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, array.shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [f"size{axis}" for axis in range(array.ndim)])
    graph = helper.make_graph([node], "g", [x], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def answer(made, array):
    checker.check_model(made, full_check=True)
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": array})[0]


def before_and_after(opset, operator, array, to=13, **more):
    made = model(opset, operator, array, **more)
    before, after = answer(made, array), answer(version_converter.convert_version(made, to), array)
    off = float(np.abs(before - after).max())
    print(f"{operator} {opset} -> {to} {more}: differs by {off:.2g}")
    return before, after, off


for opset, operator in ((9, "Upsample"), (10, "Resize")):
    before, after, off = before_and_after(opset, operator, image, scale=1.6, mode="nearest")
    corner = np.floor(np.arange(8) / 1.6).astype(int)
    assert np.array_equal(before, image[:, :, corner][:, :, :, corner]) and off > 1
    assert before_and_after(opset, operator, image, to=21, scale=1.6, mode="nearest")[2] == off
    assert before_and_after(opset, operator, image, scale=1.6, mode="linear")[2] > 0.5
    assert before_and_after(opset, operator, image, scale=2, mode="linear")[2] > 0.5
    assert before_and_after(opset, operator, image, scale=2, mode="nearest")[2] == 0

before, after, off = before_and_after(11, "Hardmax", cube)
print(f"Hardmax: {before.sum():.0f} ones, then {after.sum():.0f}")
assert before.sum() == 2 and after.sum() == 6

for opset, operator, more in (
    (11, "Softmax", {}),
    (11, "LogSoftmax", {}),
    (7, "Clip", {"min": 0.0, "max": 0.5}),
    (10, "Pad", {"pads": [0, 1, 0, 0, 1, 0], "value": 3.0}),
    (7, "Dropout", {"ratio": 0.5}),
    (11, "ReduceSum", {"axes": [1]}),
):
    assert before_and_after(opset, operator, cube, **more)[2] < 1e-6, operator
PYTHON
