#!/usr/bin/env bash
# onnxmltools 1.16.0 with LightGBM 4.7.0: six settings that change what a model computes are dropped in the conversion,
# without a word: linear_tree, boosting_type="rf" (a sum instead of a mean), multiclassova, sigmoid, reg_sqrt and
# zero_as_missing. The parameters stand in LightGBM's own text format, which the converter reads.
# dart, poisson, quantile, use_missing=False and categorical features come out right.
# Seen: see the printed differences; each is many times what rounding makes.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "onnxmltools==1.16.0" "onnx==1.23.2" "onnxruntime==1.32.0" "skl2onnx==1.20.0" "scikit-learn==1.9.1" "numpy==2.4.6" "lightgbm==4.7.0"
"$folder/venv/bin/python" - <<'PYTHON' 2>/dev/null
import numpy as np
import onnxruntime
from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris


def farthest(model, X, y):
    """The largest difference between the graph's answers and the model's, and the model's largest answer."""
    model.set_params(n_estimators=10, verbose=-1).fit(X, y)
    graph = convert_lightgbm(model, initial_types=[("X", FloatTensorType([None, X.shape[1]]))], zipmap=False)
    found = onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"X": X})[-1]
    expected = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    return np.abs(found.reshape(expected.shape) - expected).max() / np.abs(expected).max()


diabetes, cancer, iris = (
    (X.astype(np.float32), y)
    for X, y in (loaded(return_X_y=True) for loaded in (load_diabetes, load_breast_cancer, load_iris))
)
holes = np.where(np.random.default_rng(0).random(diabetes[0].shape) < 0.3, 0, diabetes[0]), diabetes[1]
bagged = {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}
wrong = {
    "linear_tree": farthest(LGBMRegressor(linear_tree=True), *diabetes),
    "rf": farthest(LGBMRegressor(**bagged), *diabetes),
    "rf, classes": farthest(LGBMClassifier(**bagged), *cancer),
    "multiclassova": farthest(LGBMClassifier(objective="multiclassova"), *iris),
    "sigmoid=2": farthest(LGBMClassifier(sigmoid=2.0), *cancer),
    "reg_sqrt": farthest(LGBMRegressor(reg_sqrt=True), *diabetes),
    "zero_as_missing": farthest(LGBMRegressor(zero_as_missing=True), *holes),
}
right = {
    "plain": farthest(LGBMRegressor(), *diabetes),
    "dart": farthest(LGBMRegressor(boosting_type="dart"), *diabetes),
    "poisson": farthest(LGBMRegressor(objective="poisson"), *diabetes),
    "quantile": farthest(LGBMRegressor(objective="quantile"), *diabetes),
}
for name, by in {**wrong, **right}.items():
    print(f"{name:16} {by:.1e} of the largest answer")
assert all(by > 0.01 for by in wrong.values()) and all(by < 1e-5 for by in right.values())
PYTHON
