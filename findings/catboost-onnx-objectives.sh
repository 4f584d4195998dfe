#!/usr/bin/env bash
# CatBoost 1.2.10: its own export to ONNX knows one way to make a probability (softmax) and none to make a count.
# - MultiClassOneVsAll and MultiLogloss (a logistic function for each class) get a softmax: labels of several at once
#   become shares of one.
# - Poisson and Tweedie stay logarithms, for which `predict` gives the exponential.
# - The threshold that `set_probability_threshold` set is lost; cbm and json files keep it.
# The export does not warn. RMSE, Quantile, Logloss and MultiClass come out right.
# Seen: probabilities 0.17 and 0.88 off, 4 of 569 labels; a Poisson regressor's 234.4 becomes 5.46, its logarithm.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "catboost==1.2.10" "onnxruntime==1.32.0" "scikit-learn==1.9.1" "numpy==2.4.6"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import numpy as np
import onnxruntime
from catboost import CatBoostClassifier, CatBoostRegressor
from scipy.special import softmax
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

onnxruntime.set_default_logger_severity(3)  # each graph warns of a shape
path = f"{sys.argv[1]}/model.onnx"
settings = {"iterations": 20, "verbose": False, "allow_writing_files": False}


def graph(model, X):
    model.save_model(path, format="onnx")
    return onnxruntime.InferenceSession(path).run(None, {"features": X.astype(np.float32)})


def probabilities(model, X):
    return np.array([[row[name] for name in sorted(row)] for row in graph(model, X)[1]])


def classes(loss, X, y):
    model = CatBoostClassifier(loss_function=loss, **settings).fit(X, y)
    found, expected = probabilities(model, X), model.predict_proba(X)
    off = np.abs(found - expected).max()
    print(f"{loss}: {expected[0].round(3)}, the graph {found[0].round(3)}, off by up to {off:.2g}")
    return off, found, model.predict(X, prediction_type="RawFormulaVal")


def numbers(loss):
    model = CatBoostRegressor(loss_function=loss, **settings).fit(X, y)
    found, expected = graph(model, X)[0][:, 0], model.predict(X)
    print(f"{loss}: {expected[:2].round(2)}, the graph {found[:2].round(2)}")
    return found, expected


X, y = load_diabetes(return_X_y=True)
for loss in ("Poisson", "Tweedie:variance_power=1.5"):
    found, expected = numbers(loss)
    assert np.abs(found - np.log(expected)).max() < 1e-4 and np.abs(found - expected).min() > 1
for loss in ("RMSE", "Quantile:alpha=0.9"):
    found, expected = numbers(loss)
    assert np.abs(found / expected - 1).max() < 1e-4

cancer, malign = load_breast_cancer(return_X_y=True)
several = np.c_[malign, 1 - malign, cancer[:, 0] > 14].astype(int)
iris, species = load_iris(return_X_y=True)
for loss, rows, target in (("MultiClassOneVsAll", iris, species), ("MultiLogloss", cancer, several)):
    off, found, raw = classes(loss, rows, target)
    assert off > 0.1 and np.abs(found - softmax(raw, axis=1)).max() < 1e-5
for loss, rows, target in (("Logloss", cancer, malign), ("MultiClass", iris, species)):
    assert classes(loss, rows, target)[0] < 1e-5

model = CatBoostClassifier(**settings).fit(cancer, malign)
model.set_probability_threshold(0.9)
labels = graph(model, cancer)[0]
differ = (labels != model.predict(cancer)).sum()
print("threshold 0.9:", differ, "labels differ")
assert differ and np.array_equal(labels, model.predict_proba(cancer)[:, 1] > 0.5)
for kind in ("cbm", "json"):
    model.save_model(path, format=kind)
    assert CatBoostClassifier().load_model(path, format=kind).get_probability_threshold() == 0.9
PYTHON
