#!/usr/bin/env bash
# onnxmltools 1.16.0 with XGBoost 3.2.0: a regressor with two outputs (or two quantiles) becomes a graph whose first
# output sums the trees of both, and whose second is 0; a regressor of objective reg:logistic becomes a graph that
# gives neither the probability nor its margin: the base score, a probability, is added to a margin, and the logistic
# function is left out. Neither conversion warns; ONNX Runtime does so of the outputs' shape.
# reg:squarederror, count:poisson, reg:tweedie and reg:gamma come out right, and so does multiclass.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "onnxmltools==1.16.0" "onnx==1.23.2" "onnxruntime==1.32.0" "skl2onnx==1.20.0" "scikit-learn==1.9.1" "numpy==2.4.6" "xgboost==3.2.0"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.datasets import load_diabetes, load_iris
from xgboost import XGBClassifier, XGBRegressor

X, y = load_diabetes(return_X_y=True)
X = X.astype(np.float32)


def both(target, **settings):
    model = XGBRegressor(n_estimators=10, **settings).fit(X, target)
    graph = convert_xgboost(model, initial_types=[("X", FloatTensorType([None, X.shape[1]]))])
    return model.predict(X), onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"X": X})[0]


share = y / y.max() * 0.9
expected, found = both(share, objective="reg:logistic")
print("reg:logistic:", expected[:2].round(3), "the graph:", found[:2, 0].round(3))
shift = found[:, 0] - np.log(expected / (1 - expected))
base = share.mean()
assert shift.std() < 1e-4 and abs(shift.mean() - (base - np.log(base / (1 - base)))) < 1e-4 and found.min() < 0

expected, found = both(np.c_[y, y**2])
print("two outputs:", expected[0], "the graph:", found[0])
assert not found[:, 1].any() and np.abs(found[:, 0] / expected[:, 0] - 1).max() > 1

expected, found = both(y, objective="reg:quantileerror", quantile_alpha=[0.1, 0.9])
print("two quantiles:", expected[0], "the graph:", found[0])
assert not found[:, 1].any() and np.abs(found[:, 0] / expected[:, 0] - 1).max() > 0.5

for objective in ("reg:squarederror", "count:poisson", "reg:tweedie", "reg:gamma"):
    expected, found = both(y, objective=objective)
    assert np.abs(found[:, 0] / expected - 1).max() < 1e-4, objective

iris, species = load_iris(return_X_y=True)
iris = iris.astype(np.float32)
model = XGBClassifier(n_estimators=10).fit(iris, species)
graph = convert_xgboost(model, initial_types=[("X", FloatTensorType([None, 4]))])
found = onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"X": iris})[1]
assert np.abs(found - model.predict_proba(iris)).max() < 1e-5
PYTHON
