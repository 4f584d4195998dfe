#!/usr/bin/env bash
# lifelines 0.30.3: with `strata`, what CoxPHFitter.predict_survival_function and predict_cumulative_hazard give stands
# stratum after stratum, not in the order of the rows asked. Without strata both keep that order, and so do, with them,
# predict_partial_hazard, predict_percentile and predict_expectation. The column labels are the rows'
# index, so who takes the values (`.to_numpy()`, for an answer as JSON) gives each row another's curve, silently. Where
# two requests of one row were joined, both labelled 0, the columns are called 0_x and 0_y, the second row's first.
# A row whose stratum is missing has no column at all; predict_partial_hazard answers it.
# The documentation says nothing of the order or of missing strata. Nothing warns, but of equal labels in one stratum.
# Seen: rows of strata 1, 0, 1, 0, 1 come back as columns 1, 3, 0, 2, 4, survival off by up to 0.086 by place; three
#   rows of which one has no stratum give two columns and three hazards.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "lifelines==0.30.3" "pandas==2.3.3" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.datasets import load_rossi

train = load_rossi()
rows = pd.DataFrame(
    {"age": [20.0, 25.0, 30.0, 35.0, 40.0], "fin": [0, 1, 0, 1, 0], "wexp": [1, 0, 1, 0, 1]},
)
methods = {}
for strata in (None, ["wexp"]):
    for baseline in ({}, {"baseline_estimation_method": "spline", "n_baseline_knots": 2}):
        model = CoxPHFitter(strata=strata, **baseline)
        model.fit(train, "week", "arrest", formula="age + fin")
        methods[strata is not None, bool(baseline)] = model

warnings.simplefilter("error")
for (stratified, spline), model in methods.items():
    for name in ("predict_survival_function", "predict_cumulative_hazard"):
        ask = getattr(model, name)
        batch = ask(rows, times=[20.0, 40.0])
        singly = pd.concat([ask(rows.iloc[[place]], times=[20.0, 40.0]) for place in range(5)], axis=1)
        off = float(np.abs(batch.to_numpy() - singly.to_numpy()).max())
        print(f"{name}, strata {stratified}, spline {spline}: columns {batch.columns.tolist()}, by place off {off:.3f}")
        assert np.allclose(batch[range(5)], singly)
        assert batch.columns.tolist() == ([1, 3, 0, 2, 4] if stratified else [0, 1, 2, 3, 4])
        assert off > 0.03 if stratified else off < 1e-9

model = methods[True, False]
for name in ("predict_partial_hazard", "predict_percentile", "predict_expectation"):
    more = {"p": 0.9} if name == "predict_percentile" else {}
    ask = getattr(model, name)
    found = ask(rows, **more)
    singly = [float(np.squeeze(ask(rows.iloc[[place]], **more))) for place in range(5)]
    assert found.index.tolist() == [0, 1, 2, 3, 4] and np.allclose(found.to_numpy(), singly), name

joined = model.predict_survival_function(rows.iloc[:2].set_axis([0, 0]), times=[20.0])
print(f"two rows labelled 0: columns {joined.columns.tolist()}")
assert joined.columns.tolist() == ["0_x", "0_y"]
assert np.allclose(joined, model.predict_survival_function(rows.iloc[[1, 0]], times=[20.0])[[1, 0]])

partly = rows.iloc[:3].assign(wexp=[1, np.nan, 0])
curves, hazards = model.predict_survival_function(partly, times=[20.0]), model.predict_partial_hazard(partly)
print(f"one of three has no stratum: columns {curves.columns.tolist()}, hazards {hazards.round(3).tolist()}")
assert curves.columns.tolist() == [2, 0] and len(hazards) == 3 and hazards.notna().all()
PYTHON
