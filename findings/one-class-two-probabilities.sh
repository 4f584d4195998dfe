#!/usr/bin/env bash
# Trained on rows of one class, four classifiers give two probabilities for the one name in `classes_`, so that
# `dict(zip(classes_, row))` or a strict zip goes wrong: XGBoost 3.2.0, LightGBM 4.7.0, and of scikit-learn 1.9.1
# HistGradientBoostingClassifier and MLPClassifier (whose second probability is not zero). Trees and forests of
# scikit-learn give one. A nightly training on a quiet day meets it.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "scikit-learn==1.9.1" "xgboost==3.2.0" "lightgbm==4.7.0" "numpy==2.4.6"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from lightgbm import LGBMClassifier
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

X = load_iris().data[:50]
y = np.zeros(50, int)
two = XGBClassifier(n_estimators=2), LGBMClassifier(n_estimators=2, verbose=-1), MLPClassifier(random_state=0)
one = DecisionTreeClassifier(), RandomForestClassifier(n_estimators=2)
for model in (*two, HistGradientBoostingClassifier(max_iter=2), *one):
    model.fit(X, y)
    row = model.predict_proba(X[:1])[0]
    print(type(model).__name__, "classes:", model.classes_.tolist(), "probabilities:", row.round(3).tolist())
    assert len(model.classes_) == 1 and len(row) == (1 if model in one else 2)
    assert (len(row) == 2 and row[1] > 0.001) == isinstance(model, MLPClassifier)
PYTHON
