#!/usr/bin/env bash
# pyGAM 0.12.0: a factor term, f(), has one coefficient for each code seen in training, but cuts the range from the
# lowest code to the highest into equal pieces, one a coefficient. Where the codes have a gap, two of them can share a
# piece, hence one answer, and another coefficient stays empty; no error, no warning. Codes 0 to 9 of which the rare
# 8 is not among the training rows are enough, as a split leaves them: it is 4 and 5 that become one. The documentation
# of f() asks for no particular codes; an internal function says that it "assumes k categories in [0, k-1]", and the
# maintainer said so in an issue of 2018.
# A code that was never seen is refused as "out of domain" outside the range, and answered within it, from whichever
# piece it falls in.
# Seen, where each code's target is its square and nothing else varies: 20.5 for both 4 and 5 (16 and 25) once 8 is
#   missing; codes 1, 2, 5 give 2.5, 2.5, 25 instead of 1, 4, 25. Codes 0 to 9, and 7 to 16, are right.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pygam==0.12.0" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
from pygam import LinearGAM, LogisticGAM, f


def model(codes, kind=LinearGAM, target=np.square, **more):
    rows = np.repeat(codes, 40)[:, None]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = kind(f(0, **more), lam=1e-6, verbose=True).fit(rows, target(rows[:, 0]).astype(float))
    assert all("Scikit-Sparse" in str(each.message) for each in caught), [str(each.message) for each in caught]
    return fitted


def answers(codes, **more):
    found = model(codes, **more).predict(np.array(codes)[:, None]).round(2).tolist()
    print(f"{codes} {more}: {found}")
    return found


every = list(range(10))
without = [code for code in every if code != 8]
for coding in ("one-hot", "dummy"):
    assert answers(every, coding=coding) == [code**2 for code in every]
    assert answers([code + 7 for code in every], coding=coding) == [(code + 7) ** 2 for code in every]
    assert answers(without, coding=coding) == [0, 1, 4, 9, 20.5, 20.5, 36, 49, 81]
    assert answers([1, 2, 5], coding=coding) == [2.5, 2.5, 25]

gap = model(without)
found = float(gap.predict([[8]])[0])
print("never seen, 8:", round(found, 2))
assert abs(found - gap.coef_[-1]) < 1e-6  # the intercept, and an empty piece
try:
    gap.predict([[10]])
except ValueError as error:
    print("never seen, 10:", error)
    assert "out of domain" in str(error)
else:
    raise AssertionError("10 was answered")

# A classifier: of 4 and 5 one is always yes, the other always no.
odd = {"kind": LogisticGAM, "target": lambda code: code % 2 == 1}
both = np.array([[4], [5]])
before, after = (model(codes, **odd).predict_proba(both).round(2).tolist() for codes in (every, without))
print("probabilities of 4 and 5 being odd:", before, after)
assert before == [0, 1] and after == [0.5, 0.5]
PYTHON
