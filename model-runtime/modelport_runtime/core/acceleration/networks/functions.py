"""Functions of each number of an array, in the array's own precision."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Function = Callable[[Array, float, float], Array]

_SELU = (1.6732632423543772, 1.0507009873554805)
_ROOT_OF_HALF = math.sqrt(0.5)
_OF_TANH = math.sqrt(2.0 / math.pi)
# A quotient of polynomials in x², within ±4: as Eigen and XLA have it. Beyond, erf is 1 in single precision.
_ABOVE = (
    -2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
    -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02,
)  # fmt: skip
_BELOW = (
    -1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03,
    -1.42647390514189e-02,
)  # fmt: skip


def erf(x: Array) -> Array:
    """The error function: of float32 within its rounding, of float64 one by one."""
    if x.dtype != np.float32:
        return np.array([math.erf(each) for each in x.ravel().tolist()], x.dtype).reshape(x.shape)
    clipped = np.clip(x, -4.0, 4.0)
    squared = clipped * clipped
    return clipped * _polynomial(squared, _ABOVE) / _polynomial(squared, _BELOW)


def _polynomial(x: Array, factors: tuple[float, ...]) -> Array:
    result = x * factors[0] + factors[1]
    for factor in factors[2:]:
        result = result * x + factor
    return result


def _elu(x: Array, alpha: float, _: float) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _sigmoid(x: Array, *_: float) -> Array:
    return 1 / (1 + np.exp(-x))


def _softplus(x: Array, beta: float, threshold: float) -> Array:
    scaled = x * beta
    return np.where(scaled > threshold, x, np.logaddexp(scaled, x.dtype.type(0)) / beta)


def _hard_sigmoid(x: Array, *_: float) -> Array:
    result: Array = np.clip(x + 3, 0, 6) / 6
    return result


def _mish(x: Array, *_: float) -> Array:
    result: Array = x * np.tanh(np.logaddexp(x, x.dtype.type(0)))
    return result


FUNCTIONS: dict[str, Function] = {
    "relu": lambda x, *_: np.maximum(x, 0),
    "leaky_relu": lambda x, slope, _: np.where(x > 0, x, x * slope),
    "elu": _elu,
    "selu": lambda x, *_: _SELU[1] * _elu(x, _SELU[0], 0.0),
    "gelu": lambda x, *_: 0.5 * x * (1 + erf(x * _ROOT_OF_HALF)),
    "gelu_tanh": lambda x, *_: 0.5 * x * (1 + np.tanh(_OF_TANH * (x + 0.044715 * (x * x * x)))),
    "silu": lambda x, *_: x * _sigmoid(x),
    "mish": _mish,
    "sigmoid": _sigmoid,
    "log_sigmoid": lambda x, *_: -np.logaddexp(-x, x.dtype.type(0)),
    "hard_sigmoid": _hard_sigmoid,
    "hard_swish": lambda x, *_: x * _hard_sigmoid(x),
    "tanh": lambda x, *_: np.tanh(x),
    "softplus": _softplus,
    "softsign": lambda x, *_: x / (1 + np.abs(x)),
    "exp": lambda x, *_: np.exp(x),
    "log": lambda x, *_: np.log(x),
    "sqrt": lambda x, *_: np.sqrt(x),
    "abs": lambda x, *_: np.abs(x),
    "negative": lambda x, *_: -x,
    "square": lambda x, *_: x * x,
    "clip": np.clip,
}
EXACT = frozenset({"relu", "abs", "negative", "clip"})
"""What rounds nothing."""
OF_SIZE = frozenset({"gelu", "gelu_tanh", "elu", "selu", "hard_swish", "hard_sigmoid", "mish"})
"""Whose rounding goes by what they take, or by 1: they subtract what is nearly as large."""
