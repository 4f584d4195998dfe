#!/usr/bin/env bash
# treelite 4.8.1: what a model computes beside its trees is lost in four cases, without a word:
# - An XGBoost 3.2.0 model of early stopping: all trees are summed, `XGBRegressor.predict` stops at the best iteration.
#   That is in the file, as an attribute.
# - XGBRegressor(missing=0) and LightGBM 4.7.0's zero_as_missing: a zero is a number. XGBoost's file does not hold the
#   first; each node of LightGBM's tells of the second.
# - scikit-learn 1.9.1's GradientBoostingClassifier(loss="exponential"): the probability is the logistic function of the
#   score instead of twice the score.
# The same models without these settings, and missing values as NaN, come out right.
# Seen: answers off by 29 %, 41 %, 28 % and 16 % of the largest.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "treelite==4.8.1" "lightgbm==4.7.0" "scikit-learn==1.9.1" "numpy==2.4.6"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps "xgboost==3.2.0"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from lightgbm import LGBMRegressor
from scipy.special import logit
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import GradientBoostingClassifier
from treelite import frontend, gtil
from treelite.sklearn import import_model
from xgboost import DMatrix, XGBRegressor

X, y = load_diabetes(return_X_y=True)
X = X.astype(np.float32)
holes = np.where(np.random.default_rng(0).random(X.shape) < 0.3, 0, X).astype(np.float32)
blank = np.where(holes == 0, np.nan, holes)
cancer, malign = load_breast_cancer(return_X_y=True)
cancer = cancer.astype(np.float32)


def off(found, expected):
    return np.abs(found.reshape(expected.shape) - expected).max() / np.abs(expected).max()


def xgboost(model, rows):
    return gtil.predict(frontend.from_xgboost(model.get_booster()), rows)


def lightgbm(model, rows):
    return gtil.predict(frontend.from_lightgbm(model.booster_), rows.astype(np.float64))


def boosted(loss):
    model = GradientBoostingClassifier(loss=loss, n_estimators=10, random_state=0).fit(cancer, malign)
    return model, gtil.predict(import_model(model), cancer.astype(np.float64)), model.predict_proba(cancer)[:, 1]


early = XGBRegressor(n_estimators=200, early_stopping_rounds=20)
early.fit(X[:300], y[:300], eval_set=[(X[300:], y[300:])], verbose=False)
zero = XGBRegressor(n_estimators=20, missing=0).fit(holes, y)
marked = LGBMRegressor(n_estimators=20, zero_as_missing=True, verbose=-1).fit(holes, y)
model, found, expected = boosted("exponential")
wrong = {
    "early stopping": off(xgboost(early, X), early.predict(X)),
    "missing=0": off(xgboost(zero, holes), zero.predict(holes)),
    "zero_as_missing": off(lightgbm(marked, holes), marked.predict(holes)),
    "exponential": off(found, expected),
}
every = early.get_booster().predict(DMatrix(X))
_, plain, plain_expected = boosted("log_loss")
nan = XGBRegressor(n_estimators=20).fit(blank, y)
right = {
    "early stopping, all trees": off(xgboost(early, X), every),
    "exponential, half the score": off(logit(found.ravel()) * 2, logit(expected)),
    "log_loss": off(plain, plain_expected),
    "missing values": off(xgboost(nan, blank), nan.predict(blank)),
    "without zero_as_missing": (lambda m: off(lightgbm(m, holes), m.predict(holes)))(
        LGBMRegressor(n_estimators=20, verbose=-1).fit(holes, y)
    ),
}
for name, share in {**wrong, **right}.items():
    print(f"{name:28} {share:.1e} of the largest answer")
assert all(share > 0.01 for share in wrong.values()) and all(share < 1e-4 for share in right.values())
PYTHON
