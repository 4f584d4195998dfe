#!/usr/bin/env bash
# statsmodels 0.15.0: a saved formula model is read by the formula engine of the process that reads it. It predicts other
# numbers there than where it was fitted, without an error or a warning.
# 0.15 has two engines, patsy (the default) and formulaic, chosen by `statsmodels.formula.options.formula_engine`. A
# pickle of results holds the formula's text and the training data, not the engine. A column of booleans is a category
# to patsy, and comes before the numbers; to formulaic it is a number, in its turn. With the other engine the parameters
# meet other columns, as many as before, and nothing compares names. `scale()` divides by n in patsy, by n - 1 in
# formulaic, under the same name.
# Seen: fitted with formulaic on "price ~ age + member", saved with `save()`, read by `sm.load` in a process with the
# default engine: predictions of prices from 35 to 51 are off by up to 98.3; the other way round as much. "price ~
# scale(age)" is off by 0.017. With the engine of the fit, and for "price ~ age + C(city)", they are equal.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "statsmodels==0.15.0" "patsy==1.0.3" \
  "formulaic==1.2.2" "numpy==2.4.6" "pandas==3.1.1"
cat > "$folder/common.py" <<'PYTHON'
import sys

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula
import statsmodels.formula.api as smf

folder, engine = sys.argv[1:]
if engine != "default":
    statsmodels.formula.options.formula_engine = engine
rng = np.random.default_rng(0)
people = pd.DataFrame(
    {
        "age": rng.uniform(20, 60, 200),
        "member": rng.random(200) < 0.5,
        "city": rng.choice(["Oslo", "Rome", "Wien"], 200),
    }
)
people["price"] = 30 + 0.3 * people.age + 2 * people.member + people.city.map({"Oslo": 0, "Rome": 1, "Wien": -1})
formulas = {"boolean": "price ~ age + member", "scaled": "price ~ scale(age)", "category": "price ~ age + C(city)"}
PYTHON
cat > "$folder/fit.py" <<'PYTHON'
from common import *

for name, formula in formulas.items():
    fitted = smf.ols(formula, people).fit()
    fitted.save(f"{folder}/{name}.pickle")
    np.save(f"{folder}/{name}.npy", fitted.predict(people))
PYTHON
cat > "$folder/read.py" <<'PYTHON'
from common import *

for name in formulas:
    found = sm.load(f"{folder}/{name}.pickle").predict(people)
    print(f"{np.abs(found - np.load(f'{folder}/{name}.npy')).max():.9f}", end=" ")
PYTHON
cd "$folder"
python="$folder/venv/bin/python -W error"
difference() { $python fit.py . "$1" && $python read.py . "$2"; }
for pair in "formulaic default" "patsy formulaic" "formulaic formulaic" "patsy default"; do
  # Two words.
  # shellcheck disable=SC2086
  seen=$(difference $pair)
  echo "fitted with, read with: $pair; off by (boolean, scaled, category): $seen"
  case $pair in
    "formulaic default" | "patsy formulaic") echo "$seen" | awk '{ exit !($1 > 50 && $2 > 0.01 && $3 < 1e-9) }' ;;
    *) echo "$seen" | awk '{ exit !($1 < 1e-9 && $2 < 1e-9 && $3 < 1e-9) }' ;;
  esac
done
