#!/usr/bin/env bash
# onnxruntime 1.32.0: an input that the graph declares as a scalar (shape [], rank 0) takes a vector or a matrix without
# an error, and the session tells the shape of a scalar and an unknown shape alike, as []. Tensors of any other rank
# are held to theirs. So neither the session nor its errors tell whether rows may be batched along such an input.
# Seen: shape [] for both; a scalar input given three numbers answers three numbers; a rank-1 input given rank 2 raises.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.0 onnxruntime==1.32.0 numpy==2.4.6
"$folder/env/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper


def session(shape: list | None) -> onnxruntime.InferenceSession:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy")
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


three = np.array([1, 2, 3], dtype=np.float32)
scalar, unknown, vector = session([]), session(None), session(["n"])
told = [each.get_inputs()[0].shape for each in (scalar, unknown, vector)]
print("told", told)
assert told == [[], [], ["n"]], told
(given,) = scalar.run(None, {"x": three})
print("a scalar given three numbers answers", given.tolist())
assert given.tolist() == [-1, -2, -3]
try:
    vector.run(None, {"x": three.reshape(1, 3)})
except Exception as error:
    print("a vector given a matrix:", type(error).__name__)
else:
    raise SystemExit("a vector takes a matrix now")
PYTHON
