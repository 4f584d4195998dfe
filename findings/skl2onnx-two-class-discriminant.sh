#!/usr/bin/env bash
# skl2onnx 1.20.0 with scikit-learn 1.9.1: the probabilities of a LinearDiscriminantAnalysis of two classes are
# squeezed towards 0 and 1. scikit-learn takes the logistic function of the score; the graph takes a softmax over the
# score and its negative, which is the logistic function of twice the score. The labels agree, and three classes do too,
# so a comparison of labels or a test with iris shows nothing.
# Seen: 369 of 569 rows of the breast cancer data differ by more than 0.01, the worst by 0.15.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "scikit-learn==1.9.1" "skl2onnx==1.20.0" "onnx==1.23.2" "onnxruntime==1.32.0" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime
from scipy.special import expit
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis


def fitted_and_converted(X, y):
    model = LinearDiscriminantAnalysis().fit(X, y)
    graph = to_onnx(model, X[:1], options={"zipmap": False}, target_opset={"": 21, "ai.onnx.ml": 3})
    return model, *onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"X": X})


X, y = load_breast_cancer(return_X_y=True)
X = X[:, :4].astype(np.float32)
model, labels, found = fitted_and_converted(X, y)
expected = model.predict_proba(X)
off = np.abs(found - expected).max(axis=1)
print(f"labels that differ: {(labels != model.predict(X)).sum()}")
print(f"rows off by more than 0.01: {(off > 0.01).sum()} of {len(X)}, the worst by {off.max():.2f}")
assert (labels == model.predict(X)).all()
assert (off > 0.01).sum() > 300 and off.max() > 0.14
assert np.abs(found[:, 1] - expit(2 * model.decision_function(X))).max() < 1e-4

X, y = load_iris(return_X_y=True)
X = X.astype(np.float32)
model, _, found = fitted_and_converted(X, y)
assert np.abs(found - model.predict_proba(X)).max() < 1e-5
PYTHON
