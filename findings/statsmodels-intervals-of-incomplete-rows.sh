#!/usr/bin/env bash
# statsmodels 0.15.0: a model fitted with a formula predicts rows of which one lacks a value in two ways. `predict` has
# NaN at that row; `get_prediction`, which gives the intervals, leaves the row out without a warning: predicted mean,
# standard error and `conf_int` have a row less than they were given, so the next row's interval stands in its place.
# OLS, WLS, GLM, Logit, Poisson and QuantReg do so. `summary_frame` keeps the labels of the rows that are left, where
# they were in a frame; its values alone do not tell. A matrix given without a formula keeps all rows in both.
# A server that returns intervals beside predictions gives rows the intervals of others, or fewer than it was sent rows,
# as soon as one row of a batch is incomplete.
# Seen: 3 rows, the second incomplete: 3 predictions, 2 intervals, the second of which is that of the third row.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "statsmodels==0.15.0" "pandas==3.1.1" "numpy==2.4.6"
"$folder/venv/bin/python" -W error::UserWarning - <<'PYTHON'
import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf

random = np.random.default_rng(0)
data = pd.DataFrame({"x": np.arange(40.0)})
data["y"] = 2 * data.x + random.normal(size=40)
data["count"] = random.poisson(3, 40)
data["yes"] = (random.random(40) < 0.5).astype(int)
rows = pd.DataFrame({"x": [1, np.nan, 30]}, index=["first", "second", "third"])

fitted = {
    "OLS": smf.ols("y ~ x", data).fit(),
    "WLS": smf.wls("y ~ x", data).fit(),
    "GLM": smf.glm("count ~ x", data, family=sm.families.Poisson()).fit(),
    "Logit": smf.logit("yes ~ x", data).fit(disp=0),
    "Poisson": smf.poisson("count ~ x", data).fit(disp=0),
    "QuantReg": smf.quantreg("y ~ x", data).fit(),
}
for name, model in fitted.items():
    predicted, intervals = model.predict(rows), model.get_prediction(rows)
    print(f"{name}: {len(predicted)} predictions, {len(intervals.conf_int())} intervals")
    assert np.isnan(predicted).tolist() == [False, True, False], name
    assert intervals.conf_int().shape == (2, 2) and len(intervals.summary_frame()) == 2, name
    alone = model.get_prediction(rows.loc[["third"]]).conf_int()[0]
    assert np.allclose(intervals.conf_int()[1], alone), name
    assert list(intervals.summary_frame().index) == ["first", "third"], name

matrix = sm.add_constant(rows.to_numpy(), has_constant="add")
without = sm.OLS(data.y.to_numpy(), sm.add_constant(data[["x"]].to_numpy())).fit()
assert len(without.predict(matrix)) == len(without.get_prediction(matrix).conf_int()) == 3
PYTHON
