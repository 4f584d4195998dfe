#!/usr/bin/env bash
# skl2onnx 1.20.0 with scikit-learn 1.9.1: three kinds of missing values are lost on the way to ONNX, silently.
# - SimpleImputer(add_indicator=True): the indicator columns are gone, the graph gives 4 columns instead of 5.
# - PowerTransformer keeps a NaN; the graph makes a number of it, far outside the data.
# - Trees that were trained with NaN send it left or right, as they learned; the graph has one way for all.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "scikit-learn==1.9.1" "skl2onnx==1.20.0" "onnx==1.23.2" "onnxruntime==1.32.0" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import PowerTransformer
from sklearn.tree import DecisionTreeClassifier


def converted(model, rows):
    graph = to_onnx(model, rows[:1], target_opset={"": 21, "ai.onnx.ml": 3})
    return onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"X": rows})[0]


X, y = load_breast_cancer(return_X_y=True)
X = X[:, :4].astype(np.float32)
# What is missing says something: every second benign case.
X[np.flatnonzero(y)[::2], 0] = np.nan

imputer = SimpleImputer(add_indicator=True).fit(X)
print("SimpleImputer:", imputer.transform(X).shape, "the graph:", converted(imputer, X).shape)
assert imputer.transform(X).shape[1] == 5 and converted(imputer, X).shape[1] == 4

power = PowerTransformer().fit(X)
missing = np.isnan(X[:, 0])
found = converted(power, X)[missing, 0]
print("PowerTransformer of NaN:", power.transform(X)[missing, 0][:1], "the graph:", found[:1])
assert np.isnan(power.transform(X)[missing, 0]).all() and (found < -10).all()

tree = DecisionTreeClassifier(random_state=0).fit(X, y)
assert set(tree.tree_.missing_go_to_left.tolist()) == {0, 1}
differ = tree.predict(X) != converted(tree, X)
print(f"DecisionTreeClassifier: {differ.sum()} labels of {missing.sum()} rows with NaN differ")
assert differ.sum() > 10 and not differ[~missing].any()
PYTHON
