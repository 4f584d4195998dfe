#!/usr/bin/env bash
# ydf 0.16.1, `ydf.from_sklearn`: trees and forests of scikit-learn 1.9.1 predict otherwise once converted, three ways,
# without a word.
# 1. Classifiers: YDF's forests let each tree vote for one class (`winner_take_all`, which the conversion leaves on),
#    scikit-learn takes the mean of their probabilities. All that holds impure leaves (`max_depth`, `min_samples_leaf`)
#    has other probabilities, some rows other labels, and a single tree says 0 or 1 of every row.
# 2. Which way a missing value goes (`missing_go_to_left`) is lost.
# 3. scikit-learn goes left at `x <= threshold`, YDF right at `x >= threshold`: rows that lie on a threshold, as values
#    of the training data in single precision do, take the other way.
# Forests of pure leaves agree on all other rows.
# Seen (rows off by more than 1e-4): tree of depth 3 550 of 569, by up to 0.21; forest of depth 3 569, by up to 0.12, two
# with another label; pure forest 1; with missing values in 184 rows 182 of these, by up to 0.26, and of a regressor 333
# of 442, by up to 166 (targets are 25 to 346); regression forest of depth 3 35 of 442, by up to 2.2, each on a threshold.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "ydf==0.16.1" "scikit-learn==1.9.1" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import ydf
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier


def compare(name, model, rows, labels):
    model.fit(rows, labels)
    theirs = ydf.from_sklearn(model).predict({"features": rows})
    is_classifier = hasattr(model, "predict_proba")
    ours = model.predict_proba(rows)[:, 1] if is_classifier else model.predict(rows)
    off = np.abs(theirs - ours) > 1e-4
    labels_off = int(((theirs > 0.5) != model.predict(rows)).sum()) if is_classifier else 0
    print(f"{name}: {off.sum()} of {len(rows)} rows off, by up to {np.abs(theirs - ours).max():.3g}; labels {labels_off}")
    return theirs, off, labels_off


cells, malignant = load_breast_cancer(return_X_y=True)
cells = cells.astype("float32")
patients, progress = load_diabetes(return_X_y=True)
patients = patients.astype("float32")

theirs, off, _ = compare("tree of depth 3", DecisionTreeClassifier(max_depth=3, random_state=0), cells, malignant)
assert off.sum() > 500 and set(np.unique(theirs.round(6))) == {0.0, 1.0}
forest = RandomForestClassifier(100, max_depth=3, random_state=0)
_, off, labels_off = compare("forest of depth 3", forest, cells, malignant)
assert off.all() and labels_off > 0
_, off, labels_off = compare("pure forest", RandomForestClassifier(100, random_state=0), cells, malignant)
assert off.sum() <= 3 and not labels_off

holes = cells.copy()
holes[cells[:, 20] > 17, 20] = np.nan
_, off, _ = compare("missing values", RandomForestClassifier(100, random_state=0), holes, malignant)
with_holes = np.isnan(holes).any(1)
print(f"  of {with_holes.sum()} rows with a missing value {off[with_holes].sum()} are off")
assert off[with_holes].sum() > 100 and off[~with_holes].sum() <= 3
holes = patients.copy()
holes[patients[:, 2] > 0.03, 2] = np.nan
_, off, _ = compare("missing values, regressor", RandomForestRegressor(100, random_state=0), holes, progress)
assert off.sum() > 200

forest = RandomForestRegressor(100, max_depth=3, random_state=0)
_, off, _ = compare("regressor of depth 3", forest, patients, progress)
on_threshold = np.zeros(len(patients), bool)
for tree in (each.tree_ for each in forest.estimators_):
    for feature, threshold in zip(tree.feature, tree.threshold):
        if feature >= 0:
            on_threshold |= patients[:, feature] == np.float32(threshold)
print(f"  on a threshold in single precision: {on_threshold.sum()} rows, {(off & on_threshold).sum()} of those off")
assert off.any() and not (off & ~on_threshold).any()
PYTHON
