#!/usr/bin/env bash
# skl2onnx 1.20.0: a converted LinearSVC has no probabilities, yet the graph's second output is named "probabilities"
# and holds the decision function: negative numbers, and rows that do not sum to 1. The estimator itself has no
# predict_proba. Who reads an ONNX classifier's second output as probabilities serves margins.
# Seen: scikit-learn 1.9.1, skl2onnx 1.20.0, onnxruntime 1.32.0, on the iris data:
#   outputs ['label', 'probabilities'], the first row [1.409, -0.803, -7.195], equal to decision_function
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 skl2onnx==1.20.0 onnxruntime==1.32.0
"$folder/env/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.svm import LinearSVC

X, y = load_iris(return_X_y=True)
X = X.astype(np.float32)
model = LinearSVC(random_state=0).fit(X, y)
assert not hasattr(model, "predict_proba")
graph = to_onnx(model, X[:1]).SerializeToString()
session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
names = [output.name for output in session.get_outputs()]
_, given = session.run(None, {session.get_inputs()[0].name: X[:5]})
print("outputs", names, "first row", given[0].round(3).tolist())
assert names == ["label", "probabilities"], names
assert np.allclose(given, model.decision_function(X[:5]), atol=1e-4)
assert given.min() < 0
PYTHON
