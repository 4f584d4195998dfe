#!/usr/bin/env bash
# scikit-learn 1.9.1: GaussianMixture and BayesianGaussianMixture with covariance_type "full" (the default) or "tied"
# answer rows of integers with other probabilities, labels and log-likelihoods than the same rows as floats. The squared
# distances are written into an array of the rows' own type, and lose what stands behind the point. `fit` and
# `fit_predict` turn integers into floats, `predict`, `predict_proba`, `score_samples`, `score`, `bic` and `aic` do not;
# "diag" and "spherical" are right. Where counts, codes or answers from 1 to 5 come as integers, the number of
# components that is chosen by `bic`, too, rests on wrong numbers.
# 1.6.1 was right; 1.7.2 and 1.8.0 are not, and 1.7.2's score is wrong for all four types.
# Seen: log-likelihood of a row -4.94 for -5.21, probabilities up to 0.12 apart, 7 labels of 600 changed; `fit_predict`
# and `predict` of the same integers differ.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "scikit-learn==1.9.1" "numpy==2.4.6"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

random = np.random.default_rng(0)
# Two groups of people, who answer four questions from 1 to 5.
groups = ([2.2, 3.1, 2.8, 3.4], [3.1, 2.6, 3.6, 2.9])
answers = np.concatenate([random.normal(mean, 0.8, (300, 4)) for mean in groups])
integers = np.clip(np.rint(answers), 1, 5).astype(int)
floats = integers.astype(float)

for kind in (GaussianMixture, BayesianGaussianMixture):
    for covariance in ("full", "tied", "diag", "spherical"):
        model = kind(n_components=2, covariance_type=covariance, random_state=0, max_iter=1000).fit(integers)
        scores = float(model.score(integers)), float(model.score(floats))
        apart = float(np.abs(model.predict_proba(integers) - model.predict_proba(floats)).max())
        labels = int((model.predict(integers) != model.predict(floats)).sum())
        print(f"{kind.__name__} {covariance}: score {scores[0]:.3f} {scores[1]:.3f}, {apart:.3f} apart, {labels} labels")
        if covariance in ("full", "tied"):
            assert scores[0] - scores[1] > 0.2
            assert apart > 0.05
            assert labels > 0
        else:
            assert abs(scores[0] - scores[1]) < 1e-9
            assert apart == 0

model = GaussianMixture(n_components=2, random_state=0, max_iter=1000)
assert (model.fit_predict(integers) == model.predict(floats)).all()
changed = int((model.predict(integers) != model.predict(floats)).sum())
bic = model.bic(integers), model.bic(floats)
print(f"fit_predict and predict of the same integers: {changed} labels differ; bic {bic[0]:.0f} {bic[1]:.0f}")
assert changed > 0
assert bic[1] - bic[0] > 100
PYTHON
