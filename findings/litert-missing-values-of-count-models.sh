#!/usr/bin/env bash
# LiteRT 2.3.0 predicts rows that hold a missing value, where Keras 3.15.1 (TensorFlow 2.21.0) answers NaN.
# The network is the usual one for counts: Dense with softplus, then Dense with "exponential", trained with the Poisson
# loss and converted by TFLiteConverter. An interpreter made with its defaults runs these layers in XNNPACK, whose exp,
# softplus and selu make an ordinary number of NaN (exp: 0); everything behind goes on with that number. LiteRT's own
# kernels (`BUILTIN_WITHOUT_DEFAULT_DELEGATES`, `BUILTIN_REF`) give NaN, and so do relu, elu, gelu, tanh and sigmoid in
# XNNPACK: whether a missing value is seen depends on the activation and on the interpreter's resolver.
# Seen: [1, 2, 3] 0.590 by all; [NaN, 2, 3] 1.078 by the default interpreter (2e-24 on a processor without AVX), NaN by
# the other two and by Keras. No warning. The same with kernels for AVX-512, AVX2, AVX and SSE4.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  "tensorflow-cpu==2.21.0" "keras==3.15.1" "ai-edge-litert==2.3.0"
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - <<'PYTHON'
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
inputs = rng.normal(size=(500, 3)).astype("float32")
counts = rng.poisson(np.exp(inputs[:, 0]))
rows = np.array([[1, 2, 3], [np.nan, 2, 3]], "float32")


def converted(*layers):
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(loss="poisson")
    model.fit(inputs, counts, epochs=5, verbose=0)
    return model(rows).numpy(), tf.lite.TFLiteConverter.from_keras_model(model).convert()


def predict(content, resolver=OpResolverType.AUTO):
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    place = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(place, rows.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(place, rows)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


Dense = keras.layers.Dense
of_keras, content = converted(Dense(8, activation="softplus"), Dense(1, activation="exponential"))
by_default = predict(content)
print("Keras:", of_keras.ravel(), "LiteRT:", by_default.ravel())
np.testing.assert_allclose(by_default[0], of_keras[0], rtol=1e-5)
assert np.isnan(of_keras[1]).all()
assert np.isfinite(by_default[1]).all()
for resolver in (OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, OpResolverType.BUILTIN_REF):
    np.testing.assert_allclose(predict(content, resolver), of_keras, rtol=1e-5)

for activation, is_seen in {"softplus": False, "selu": False, "relu": True, "elu": True, "gelu": True}.items():
    of_keras, content = converted(Dense(8, activation=activation), Dense(1))
    assert np.isnan(of_keras[1]).all(), activation
    assert np.isnan(predict(content)[1]).all() == is_seen, activation
PYTHON
