#!/usr/bin/env bash
# onnxruntime 1.32.0: a NaN goes through Relu, Clip, Max and ReduceSum, as in numpy and ONNX's reference evaluator, so
# one expects it of a maximum over a row too. ReduceMax, ReduceMin, MaxPool and GlobalMaxPool, which stand near the
# end of many networks, give NaN or a number, depending on where in the row the NaN stands:
# - ReduceMax and ReduceMin: NaN where it comes first, else mostly the maximum of the others.
# - MaxPool and GlobalMaxPool: the maximum of the others where it comes first, NaN at some later places of longer rows.
# - ReduceMax depends on the number of rows as well: a row's result alone is not that beside a copy of itself.
# Who looks for NaN in the output to catch broken input misses most of it, and joining requests into batches changes
# which.
# Seen: ReduceMax of [NaN, 2, 3], [1, NaN, 3], [1, 2, NaN] is NaN, 3, 2, MaxPool 3, 3, 2; in float64 the first two,
#   twice each in one batch, are NaN and 3, 3 and NaN.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "onnx==1.23.2" "onnxruntime==1.32.0" "numpy==2.4.6"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import onnxruntime
from onnx import helper
from onnx.reference import ReferenceEvaluator


def both(operator, array, constants=(), **attributes):
    """What ONNX Runtime gives, and what the reference implementation of ONNX does."""
    of = helper.np_dtype_to_tensor_dtype(array.dtype)
    inputs = [helper.make_tensor(name, of, [], [value]) for name, value in constants]
    node = helper.make_node(operator, ["x", *(each.name for each in inputs)], ["y"], **attributes)
    x = helper.make_tensor_value_info("x", of, array.shape)
    graph = helper.make_graph([node], "g", [x], [helper.make_tensor_value_info("y", of, None)], inputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": array})[0].ravel(), ReferenceEvaluator(model).run(None, {"x": array})[0].ravel()


def rows_with_one_missing(width, dtype):
    rows = np.tile(np.arange(1, width + 1, dtype=dtype), (width, 1))
    np.fill_diagonal(rows, np.nan)
    return rows


rows = rows_with_one_missing(3, np.float32)
for operator, more in (
    ("Relu", {}),
    ("Clip", {"constants": [("low", 0.0), ("high", 9.0)]}),
    ("Max", {"constants": [("low", 0.0)]}),
    ("ReduceSum", {"keepdims": 1}),
):
    for row in rows:
        found, reference = both(operator, row[None], **more)
        assert np.array_equal(found, reference, equal_nan=True) and np.isnan(found).any(), operator

for operator, others in (("ReduceMax", [3, 3, 2]), ("ReduceMin", [2, 1, 1])):
    pairs = [both(operator, row[None], axes=[1]) for row in rows]
    print(operator, [float(found[0]) for found, _ in pairs])
    assert all(np.isnan(reference[0]) for _, reference in pairs)
    assert np.isnan(pairs[0][0][0]) and [found[0] for found, _ in pairs[1:]] == others[1:]

for operator in ("MaxPool", "GlobalMaxPool"):
    for width in (3, 16):
        more = {"kernel_shape": [1, width]} if operator == "MaxPool" else {}
        images = rows_with_one_missing(width, np.float32).reshape(width, 1, 1, 1, width)
        found = [float(both(operator, image, **more)[0][0]) for image in images]
        print(operator, found)
        assert found == [3, 3, 2] if width == 3 else found[0] == 16 and np.isnan(found).any()

changing = 0
for dtype in (np.float32, np.float64):
    for width in (3, 17):
        for row in rows_with_one_missing(width, dtype):
            alone, beside = (both("ReduceMax", np.tile(row, (count, 1)), axes=[1])[0] for count in (1, 2))
            changing += not np.array_equal(np.tile(alone, 2), beside, equal_nan=True)
            if width == 3:
                print(f"{dtype.__name__} {row}: alone {alone}, beside a copy {beside}")
print(f"{changing} of 40 rows answer otherwise beside a copy of themselves")
assert changing
PYTHON
