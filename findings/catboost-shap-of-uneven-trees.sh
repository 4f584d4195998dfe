#!/usr/bin/env bash
# CatBoost 1.2.10: the SHAP values of a model with grow_policy "Depthwise" or "Lossguide" do not add up to its
# prediction, as the documentation promises ("for a given object the sum is equal to the prediction"), for any row, and
# nothing warns. Saved as JSON and loaded again, the same model has other SHAP values, which do add up; saved as cbm, it
# keeps the wrong ones. Interaction and LossFunctionChange, the importances by feature, change with them; the
# predictions are the same to 1e-14. A model of the default policy has the same values in all of them.
# A service that explains its answers names another reason, depending on the file that it was started from.
# Seen: off by up to 3.2 (Depthwise) and 5.1 (Lossguide) for predictions from -5.8 to 10.7; for 51 and 59 of 500 rows
#   the feature that counts most is another. (CatBoost's open issues 1703, of training on GPUs, and 2136 tell of sums
#   that are off.)
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "catboost==1.2.10" "numpy==2.4.6"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from catboost import CatBoostRegressor, Pool

random = np.random.default_rng(0)
rows = random.normal(size=(500, 4)).astype(np.float32)
target = rows[:, 0] * 2 + rows[:, 1] ** 2
pool = Pool(rows, target)
settings = {"iterations": 30, "verbose": 0, "random_seed": 0, "thread_count": 1, "allow_writing_files": False}


def again(model, form):
    model.save_model(f"model.{form}", format=form)
    return CatBoostRegressor().load_model(f"model.{form}", format=form)


def shap(model):
    return model.get_feature_importance(pool, type="ShapValues")


for policy in ("SymmetricTree", "Depthwise", "Lossguide"):
    model = CatBoostRegressor(grow_policy=policy, **settings).fit(pool)
    predicted, values = model.predict(pool), {"trained": shap(model)}
    for form in ("cbm", "json"):
        loaded = again(model, form)
        assert np.abs(loaded.predict(pool) - predicted).max() < 1e-12
        values[form] = shap(loaded)
    gap = {name: np.abs(each.sum(axis=1) - predicted) for name, each in values.items()}
    most = {name: np.abs(each[:, :-1]).argmax(axis=1) for name, each in values.items()}
    others = int((most["trained"] != most["json"]).sum())
    worst = {name: float(f"{each.max():.2g}") for name, each in gap.items()}
    print(f"{policy}: predictions {predicted.min():.1f} to {predicted.max():.1f}; the sums are off by up to {worst};")
    print(f"   {others} rows have another first feature")
    assert np.array_equal(values["trained"], values["cbm"]) and gap["json"].max() < 1e-9
    same = [
        np.allclose(loaded.get_feature_importance(pool, type=each), model.get_feature_importance(pool, type=each))
        for each in ("PredictionValuesChange", "Interaction", "LossFunctionChange")
    ]
    print("   equal from JSON: PredictionValuesChange, Interaction, LossFunctionChange:", same)
    if policy == "SymmetricTree":
        assert gap["trained"].max() < 1e-9 and not others and all(same)
    else:
        assert gap["trained"].max() > 1 and (gap["trained"] > 1e-6).all() and others > 20
        assert same == [True, False, False]
PYTHON
