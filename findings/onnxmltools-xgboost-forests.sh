#!/usr/bin/env bash
# onnxmltools 1.16.0 with XGBoost 3.2.0: a classifier of three classes with several trees a round, as XGBRFClassifier
# and num_parallel_tree have, becomes a graph that counts trees for the wrong classes: it deals them out one by one,
# where XGBoost grows all of a class before the next. survival:cox gives the logarithm of the hazard
# ratio that `predict` gives, plus its base score, 1. Neither conversion warns.
# XGBRFClassifier of two classes and XGBRFRegressor come out right, and so does early stopping.
# Seen: probabilities off by 0.62 (XGBRFClassifier) and 0.71 (num_parallel_tree=3) on the iris data.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "onnxmltools==1.16.0" "onnx==1.23.2" "onnxruntime==1.32.0" "skl2onnx==1.20.0" "scikit-learn==1.9.1" "numpy==2.4.6"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps "xgboost==3.2.0"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import onnxruntime
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier, XGBRFRegressor

onnxruntime.set_default_logger_severity(3)
diabetes, cancer, iris = (
    (X.astype(np.float32), y)
    for X, y in (loaded(return_X_y=True) for loaded in (load_diabetes, load_breast_cancer, load_iris))
)


def both(model, X):
    graph = convert_xgboost(model, initial_types=[("X", FloatTensorType([None, X.shape[1]]))])
    found = onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"X": X})[-1]
    expected = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    return found.reshape(expected.shape), expected


def off(model, X):
    found, expected = both(model, X)
    return np.abs(found - expected).max() / np.abs(expected).max()


grown = {"n_estimators": 20, "max_depth": 3}
several = {**grown, "num_parallel_tree": 3, "subsample": 0.5}
stopped = XGBRegressor(n_estimators=200, early_stopping_rounds=20)
X, y = diabetes
stopped.fit(X[:300], y[:300], eval_set=[(X[300:], y[300:])], verbose=False)
wrong = {
    "XGBRFClassifier, three classes": off(XGBRFClassifier(**grown).fit(*iris), iris[0]),
    "num_parallel_tree, three classes": off(XGBClassifier(**several).fit(*iris), iris[0]),
}
right = {
    "one tree a round, three classes": off(XGBClassifier(**grown).fit(*iris), iris[0]),
    "XGBRFClassifier, two classes": off(XGBRFClassifier(**grown).fit(*cancer), cancer[0]),
    "XGBRFRegressor": off(XGBRFRegressor(**grown).fit(X, y), X),
    "early stopping": off(stopped, X),
}
for name, share in {**wrong, **right}.items():
    print(f"{name:33} {share:.1e}")
assert all(share > 0.1 for share in wrong.values()) and all(share < 1e-4 for share in right.values())

found, expected = both(XGBRegressor(objective="survival:cox", **grown).fit(X, y), X)
print("survival:cox:", expected[:3].round(3), "the graph:", found[:3].round(3))
assert np.abs(found - np.log(expected) - 1).max() < 1e-4 and np.abs(found - expected).max() > 1
PYTHON
