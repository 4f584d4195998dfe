#!/usr/bin/env bash
# Keras 3.15.1 on JAX 0.10.2: one row that `predict` refuses takes the weights of the model with it.
# `predict` hands the variables over to JAX and puts them back at its end; an exception in between skips that. A model
# in a server answers the row of a wrong width with a ValueError, which is right, and after that answers nothing any
# more: `predict`, calling it, `get_weights` and `save` raise "'NoneType' object is not callable". So it is after an
# exception in a callback, while all rows are good.
# `predict_on_batch` and calling the model survive the same row, and so does `predict` on Keras' NumPy backend.
# Seen: as said, nothing warned.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "keras==3.15.1" "jax==0.10.2" "numpy==2.4.6"
cat >"$folder/survives.py" <<'PYTHON'
"""Print which calls of a model still work after it refused a row, or a callback raised."""

import sys

import keras
import numpy as np

GOOD, BAD = np.ones((2, 4), "float32"), np.ones((2, 3), "float32")


class GivesUp(keras.callbacks.Callback):
    def on_predict_batch_end(self, batch, logs=None):
        raise TimeoutError("the caller has gone")


def works(call):
    try:
        call()
    except Exception:
        return False
    return True


def after(disturb):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    assert works(lambda: model.predict(GOOD, verbose=0))
    assert not works(lambda: disturb(model))
    calls = {
        "predict": lambda: model.predict(GOOD, verbose=0),
        "call": lambda: model(GOOD),
        "get_weights": lambda: model.get_weights(),
        "save": lambda: model.save(f"{sys.argv[1]}/model.keras"),
    }
    return [name for name, call in calls.items() if works(call)]


print("a row refused by predict:", *after(lambda model: model.predict(BAD, verbose=0)))
print("a callback that raised:", *after(lambda model: model.predict(GOOD, verbose=0, callbacks=[GivesUp()])))
print("a row refused by predict_on_batch:", *after(lambda model: model.predict_on_batch(BAD)))
print("a row refused by the call:", *after(lambda model: model(BAD)))
PYTHON
all="predict call get_weights save"
expected_on_jax="a row refused by predict:
a callback that raised:
a row refused by predict_on_batch: $all
a row refused by the call: $all"
seen=$(KERAS_BACKEND=jax "$folder/venv/bin/python" -W error::UserWarning "$folder/survives.py" "$folder")
echo "On JAX, what works after"
echo "$seen"
[ "$seen" = "$expected_on_jax" ]
seen=$(KERAS_BACKEND=numpy "$folder/venv/bin/python" -W error::UserWarning "$folder/survives.py" "$folder")
echo "On NumPy"
echo "$seen"
[ "$seen" = "a row refused by predict: $all
a callback that raised: $all
a row refused by predict_on_batch: $all
a row refused by the call: $all" ]
