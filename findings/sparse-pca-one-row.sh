#!/usr/bin/env bash
# scikit-learn 1.9.1: `transform` of one row by SparsePCA and MiniBatchSparsePCA is an array of one dimension, that of
# two rows has two. PCA, TruncatedSVD, NMF and FastICA give two dimensions always. A pipeline that ends in one of them
# answers a single request in another shape than a batch; one that goes on after it raises for the single request.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "scikit-learn==1.9.1" "numpy==2.4.6"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from sklearn.datasets import load_iris
from sklearn.decomposition import NMF, PCA, FastICA, MiniBatchSparsePCA, SparsePCA, TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

X, y = load_iris(return_X_y=True)
shapes = {}
for kind in (PCA, TruncatedSVD, NMF, FastICA, SparsePCA, MiniBatchSparsePCA):
    model = kind(n_components=2, random_state=0).fit(X)
    shapes[kind.__name__] = model.transform(X[:1]).shape, model.transform(X[:2]).shape
    print(kind.__name__, *shapes[kind.__name__])
for name, (one, two) in shapes.items():
    assert two == (2, 2) and one == ((2,) if "Sparse" in name else (1, 2)), name

pipeline = make_pipeline(SparsePCA(2, random_state=0), LogisticRegression()).fit(X, y)
pipeline.predict(X[:2])
try:
    pipeline.predict(X[:1])
except ValueError as error:
    print("a pipeline, one row:", str(error).splitlines()[0])
else:
    raise AssertionError("one row is answered now")
PYTHON
