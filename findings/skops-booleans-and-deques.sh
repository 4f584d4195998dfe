#!/usr/bin/env bash
# skops 0.16.0: two containers come back from a file with less in them, without an error: a dictionary with the keys
# True and False has one key, True, with the value of the last (its keys are kept as text, and the text "False" is true),
# and a deque is empty. Integer, float and numpy keys come back, and so do Counter, OrderedDict and sets.
# A classifier of yes and no with a class_weight loses one of its two weights, and learns otherwise when it is fitted
# again; a transformer that keeps its last values in a deque forgets them.
# Seen with scikit-learn 1.9.1: class_weight {True: 1, False: 9} comes back as {True: 9}; fitted again, labels of the
#   breast cancer data differ.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "skops==0.16.0" "scikit-learn==1.9.1" "numpy==2.4.6"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from collections import Counter, OrderedDict, deque

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from skops.io import dumps, get_untrusted_types, loads


def saved_and_loaded(thing):
    data = dumps(thing)
    return loads(data, trusted=get_untrusted_types(data=data))


for thing in ({True: "yes", False: "no"}, deque([1, 2], maxlen=3)):
    back = saved_and_loaded(thing)
    print(thing, "->", back)
    assert len(back) < len(thing)
assert saved_and_loaded({True: "yes", False: "no"}) == {True: "no"}
for thing in ({1: "a", 2.5: "b", np.int64(3): "c", "d": "e"}, Counter("aab"), OrderedDict(a=1), {1, 2}, [True, False]):
    assert saved_and_loaded(thing) == thing, thing

X, y = load_breast_cancer(return_X_y=True)
X, y = (X - X.mean(0)) / X.std(0), y == 1
model = LogisticRegression(C=0.01, class_weight={True: 1, False: 9}).fit(X, y)
back = saved_and_loaded(model)
again = clone(back).fit(X, y)
differ = (again.predict(X) != model.predict(X)).sum()
print(f"class_weight {model.class_weight} -> {back.class_weight}; fitted again, {differ} labels differ")
assert np.array_equal(back.predict(X), model.predict(X)) and back.class_weight == {True: 9} and differ
assert np.array_equal(clone(model).fit(X, y).predict(X), model.predict(X))
PYTHON
