#!/usr/bin/env bash
# CatBoost 1.2.10: nan_mode="Forbidden", which the documentation says makes a missing value an error, holds for
# training alone. `fit` refuses a missing value; a model so trained predicts rows with missing
# values as if these were smaller than all numbers, without an error or a warning, from an array, a Pool, and a model
# that was saved and loaded; the file says "Forbidden" still. So does a row of four values for a model of three columns:
# the fourth is not looked at, in an array and in a DataFrame whose other names fit.
# Seen: -5.59 for 0.38, from a model whose target lies between -7.3 and 6.6.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "catboost==1.2.10" "numpy==2.4.6" "pandas==3.1.1"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
import pandas as pd
from catboost import CatBoostError, CatBoostRegressor, Pool

warnings.simplefilter("error")
random = np.random.default_rng(0)
training = random.normal(size=(300, 3))
target = training[:, 0] * 2 + training[:, 1]
settings = {"iterations": 30, "depth": 4, "random_seed": 0, "verbose": 0, "allow_writing_files": False}
settings["nan_mode"] = "Forbidden"
rows = training[:2]
missing = rows.copy()
missing[0, 0] = np.nan

try:
    CatBoostRegressor(**settings).fit(np.concatenate([training, missing]), np.append(target, [0, 0]))
except CatBoostError as error:
    print(f"fit: {error}")
else:
    raise SystemExit("fit took a missing value")

model = CatBoostRegressor(**settings).fit(training, target)
model.save_model("model.cbm")
loaded = CatBoostRegressor().load_model("model.cbm")
assert loaded.get_all_params()["nan_mode"] == "Forbidden"
smallest = missing.copy()
smallest[0, 0] = -1e30
print(f"target {target.min():.1f} to {target.max():.1f}; whole row {model.predict(rows)[0]:.2f}")
for name, found in {
    "array": model.predict(missing),
    "Pool": model.predict(Pool(missing)),
    "loaded": loaded.predict(missing),
}.items():
    print(f"missing value, {name}: {found[0]:.2f}")
    assert np.allclose(found, model.predict(smallest))
    assert abs(found[0] - model.predict(rows)[0]) > 5

wide = np.column_stack([rows, [100.0, 200.0]])
assert np.array_equal(model.predict(wide), model.predict(rows))
frame = pd.DataFrame(training, columns=["a", "b", "c"])
named = CatBoostRegressor(**settings).fit(frame, target)
assert np.array_equal(named.predict(frame.assign(d=1.0)), named.predict(frame))
print("four values for three columns: the fourth is not looked at")
PYTHON
