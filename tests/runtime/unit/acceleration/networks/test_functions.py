"""Functions of single precision against the same in double precision."""

import math

import numpy as np
import pytest
from modelport_runtime.core.acceleration.networks.functions import EXACT, FUNCTIONS, erf

NUMBERS = np.concatenate([np.linspace(-12, 12, 4_001), [1e-30, -1e-30, 30.0, -30.0, 88.0, -88.0]])


def test_the_error_function() -> None:
    single = NUMBERS.astype(np.float32)
    wanted = np.array([math.erf(each) for each in single.tolist()])
    assert np.abs(erf(single) - wanted).max() < 5e-7
    assert np.abs(erf(single.astype(np.float64)) - wanted).max() < 1e-15


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_single_precision_is_kept_and_close(name: str) -> None:
    numbers = np.abs(NUMBERS[NUMBERS != 0]) if name in ("log", "sqrt") else NUMBERS
    numbers = numbers[np.abs(numbers) < 30] if name == "exp" else numbers
    single = numbers.astype(np.float32)
    parameters = {"leaky_relu": (0.1, 0.0), "elu": (1.5, 0.0), "softplus": (2.0, 20.0), "clip": (-1.0, 6.0)}
    first, second = parameters.get(name, (0.0, 0.0))
    with np.errstate(all="ignore"):
        found = FUNCTIONS[name](single, first, second)
        wanted = FUNCTIONS[name](single.astype(np.float64), first, second)
    assert found.dtype == np.float32
    allowed = 0.0 if name in EXACT else 1e-6 * np.maximum(np.abs(wanted), 1.0)
    assert (np.abs(found - wanted) <= allowed).all()
