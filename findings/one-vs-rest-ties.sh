#!/usr/bin/env bash
# scikit-learn 1.8.0 changed what OneVsRestClassifier answers where the scores of two classes are equal: the first of
# them; 1.7.2 and before answered the last. The same data and the same file give another label, with no warning.
# Ties are the rule with trees as the inner estimators, whose scores are often exactly 0 or 1.
# Seen: 1.7.2 answers [2], 1.8.0 answers [0] where three trees give one third each.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ask() {
  python3 -m venv "$folder/$1"
  "$folder/$1/bin/pip" install --quiet --disable-pip-version-check "scikit-learn==$1"
  "$folder/$1/bin/python" - <<'PYTHON'
import numpy as np
from sklearn.multiclass import OneVsRestClassifier
from sklearn.tree import DecisionTreeClassifier

# Nothing to split by: each tree gives its class exactly one third.
X, y = np.zeros((6, 1)), [0, 1, 2, 0, 1, 2]
model = OneVsRestClassifier(DecisionTreeClassifier(random_state=0)).fit(X, y)
scores = [tree.predict_proba(X[:1])[0, 1] for tree in model.estimators_]
assert len(set(scores)) == 1, scores
print(model.predict(X[:1]).tolist())
PYTHON
}
before=$(ask 1.7.2)
after=$(ask 1.8.0)
echo "1.7.2: $before, 1.8.0: $after"
[ "$before" = "[2]" ] && [ "$after" = "[0]" ]
