#!/usr/bin/env bash
# Keras 3.15.1: a model of four inputs whose first layer is Normalization predicts rows of one value.
# `Input((4,))` is not enforced by the model, only by layers that check their own input, as Dense does. Normalization
# subtracts four means from whatever comes, so one column is broadcast to four: each row is taken for one that has this
# value four times, and Dense behind it then gets the width that it wants. Rows of two, three or five values are
# refused, and so is one value where Rescaling, or nothing, stands before Dense.
# It is the same after `save` and `load_model`, by `predict`, `predict_on_batch` and the call.
# Seen: 2 predictions for rows of one value, those of the value four times, without a warning, on JAX 0.10.2; on NumPy's
# backend too.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "keras==3.15.1" "jax==0.10.2" "numpy==2.4.6" "scikit-learn==1.9.1"
KERAS_BACKEND=jax "$folder/venv/bin/python" -W error::UserWarning - "$folder" <<'PYTHON'
import sys

import keras
import numpy as np
from sklearn.datasets import load_iris

rows = load_iris().data.astype("float32")
normalization = keras.layers.Normalization()
normalization.adapt(rows)


def saved_and_loaded(first):
    model = keras.Sequential([keras.Input((4,)), *first, keras.layers.Dense(3, activation="softmax")])
    model.save(f"{sys.argv[1]}/model.keras")
    return keras.saving.load_model(f"{sys.argv[1]}/model.keras")


def refuses(model, rows):
    try:
        model.predict_on_batch(rows)
    except Exception:
        return True
    return False


model = saved_and_loaded([normalization])
assert model.input_shape == (None, 4)
one = rows[:2, :1]
four_times = model.predict(np.repeat(one, 4, axis=1), verbose=0)
for call in (lambda x: model.predict(x, verbose=0), model.predict_on_batch, model):
    np.testing.assert_allclose(call(one), four_times, rtol=1e-6)
print("rows of one value:", one.ravel(), "probabilities:", four_times.round(3).tolist())
assert all(refuses(model, np.tile(rows[:2], 2)[:, :width]) for width in (2, 3, 5))
assert refuses(saved_and_loaded([]), one)
assert refuses(saved_and_loaded([keras.layers.Rescaling(0.1)]), one)
PYTHON
