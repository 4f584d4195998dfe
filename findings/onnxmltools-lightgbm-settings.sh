#!/usr/bin/env bash
# onnxmltools 1.16.0 with LightGBM 4.7.0: five settings that change what a model computes are dropped in the
# conversion, without a word: linear_tree, multiclassova, sigmoid, reg_sqrt and zero_as_missing. With
# boosting_type="rf" the trees' sum is divided by 100, the default of n_estimators, however many there are (of classes,
# the sum's probability is): a regressor of 10 answers a tenth, one of 100 is right.
# dart, poisson, quantile, use_missing=False and categorical features come out right.
# Seen: differences of 0.17 to 1.0 of the model's largest answer, 1e-7 where it is right.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "onnxmltools==1.16.0" "onnx==1.23.2" "onnxruntime==1.32.0" "skl2onnx==1.20.0" "scikit-learn==1.9.1" "numpy==2.4.6" "lightgbm==4.7.0"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime
from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris


# Each run of a classifier's graph warns of a shape.
onnxruntime.set_default_logger_severity(3)


def farthest(model, X, y, trees=10, **fitting):
    """The largest difference between the graph's answers and the model's, as a share of its largest answer."""
    model.set_params(n_estimators=trees, verbose=-1).fit(X, y, **fitting)
    graph = convert_lightgbm(model, initial_types=[("X", FloatTensorType([None, X.shape[1]]))], zipmap=False)
    found = onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"X": X})[-1]
    expected = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    return np.abs(found.reshape(expected.shape) - expected).max() / np.abs(expected).max()


diabetes, cancer, iris = (
    (X.astype(np.float32), y)
    for X, y in (loaded(return_X_y=True) for loaded in (load_diabetes, load_breast_cancer, load_iris))
)
missing = diabetes[0].copy(), diabetes[1]
missing[0][::5, 2] = np.nan
grouped = np.c_[diabetes[0], np.digitize(diabetes[0][:, 0], [-0.05, 0, 0.05])].astype(np.float32), diabetes[1]
holes = np.where(np.random.default_rng(0).random(diabetes[0].shape) < 0.3, 0, diabetes[0]), diabetes[1]
bagged = {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}
wrong = {
    "linear_tree": farthest(LGBMRegressor(linear_tree=True), *diabetes),
    "rf, 10 trees": farthest(LGBMRegressor(**bagged), *diabetes),
    "rf, 200 trees": farthest(LGBMRegressor(**bagged), *diabetes, trees=200),
    "rf, classes": farthest(LGBMClassifier(**bagged), *cancer),
    "multiclassova": farthest(LGBMClassifier(objective="multiclassova"), *iris),
    "sigmoid=2": farthest(LGBMClassifier(sigmoid=2.0), *cancer),
    "reg_sqrt": farthest(LGBMRegressor(reg_sqrt=True), *diabetes),
    "zero_as_missing": farthest(LGBMRegressor(zero_as_missing=True), *holes),
}
right = {
    "plain": farthest(LGBMRegressor(), *diabetes),
    "rf, 100 trees": farthest(LGBMRegressor(**bagged), *diabetes, trees=100),
    "use_missing": farthest(LGBMRegressor(use_missing=False), *missing),
    "categories": farthest(LGBMRegressor(), *grouped, categorical_feature=[10]),
    "dart": farthest(LGBMRegressor(boosting_type="dart"), *diabetes),
    "poisson": farthest(LGBMRegressor(objective="poisson"), *diabetes),
    "quantile": farthest(LGBMRegressor(objective="quantile"), *diabetes),
}
for name, by in {**wrong, **right}.items():
    print(f"{name:16} {by:.1e} of the largest answer")
assert all(by > 0.01 for by in wrong.values()) and all(by < 1e-5 for by in right.values())
PYTHON
