#!/usr/bin/env bash
# category_encoders 2.11.2: HashingEncoder and MultiHotEncoder encode the text of a value: 20 is "20", 20.0 is "20.0". A
# whole number has both types in pandas, depending on the rows beside it: a column of codes of which one is missing is
# float, so that one incomplete row changes the encoding of every other row of the request. A model trained on a column
# with missing values gets, from a row served alone, a code of another bucket, or of MultiHotEncoder none at all.
# The other encoders go by the value: one-hot, ordinal, binary, count, target and a dozen more answer alike for both.
# Nothing warns; neither docstring speaks of it. (HashingEncoder parts None and NaN, too: the one has
# no bucket, the other that of "nan".)
# Seen: codes 10, 20, 30, 40 go to buckets 0, 4, 7, 0 alone; to 2, 6, 2, 3 beside a missing one. MultiHotEncoder gives
#   all four no column, as if unknown.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "category-encoders==2.11.2" "pandas==3.1.1" \
    "scikit-learn==1.9.1" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import category_encoders
import numpy as np
import pandas as pd

train = pd.DataFrame({"code": [10, 20, 30, 40] * 25})
target = pd.Series(np.arange(100) % 3 == 0).astype(int)
whole = pd.DataFrame({"code": [10, 20, 30, 40]})
beside = pd.DataFrame({"code": [10, 20, 30, 40, np.nan]})
others = (
    "BackwardDifference BaseN Binary CatBoost Count Gray Helmert JamesStein LeaveOneOut MEstimate OneHot Ordinal "
    "Polynomial RankHot Sum Target WOE"
).split()


def encode(encoder, rows):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        encoded = encoder.transform(rows).to_numpy(float)
    told = [str(each.message) for each in caught if "no_silent_downcasting" not in str(each.message)]
    assert not told, told
    return encoded


def buckets(encoded):
    return [int(row.argmax()) if row.any() else None for row in encoded]


for name in others:
    encoder = getattr(category_encoders, f"{name}Encoder")(cols=["code"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encoder.fit(train, target)
    assert np.allclose(encode(encoder, whole), encode(encoder, beside)[:4]), name

for name in ("Hashing", "MultiHot"):
    kind = getattr(category_encoders, f"{name}Encoder")
    encoder = kind(cols=["code"]).fit(train)
    alone, joined = encode(encoder, whole), encode(encoder, beside)[:4]
    singly = np.vstack([encode(encoder, whole.iloc[[place]]) for place in range(4)])
    print(f"{name}: {buckets(alone)} alone, {buckets(joined)} beside a missing one")
    assert np.array_equal(alone, singly) and not (alone == joined).all(axis=1).any()
    assert buckets(joined) == ([2, 6, 2, 3] if name == "Hashing" else [None] * 4)

    # Trained with one missing, served without.
    encoder = kind(cols=["code"]).fit(beside)
    trained, served = encode(encoder, beside)[:4], encode(encoder, whole)
    print(f"{name}: {buckets(trained)} in training, {buckets(served)} served")
    assert not (trained == served).all(axis=1).any()

encoder = category_encoders.HashingEncoder(cols=["code"]).fit(train)
none, nan = (buckets(encode(encoder, pd.DataFrame({"code": [10, each]}, dtype=object)))[1] for each in (None, np.nan))
print("None and NaN:", none, nan)
assert none is None and nan == 0
PYTHON
