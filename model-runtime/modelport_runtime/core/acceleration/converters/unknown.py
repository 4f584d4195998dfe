"""What is not converted, and how that is said."""

from typing import Any

import numpy as np


class NotConverted(Exception):
    """The message says why, as a sentence for people."""


def require(holds: bool, what: str) -> None:
    """Raise `NotConverted` unless it holds."""
    if not holds:
        raise NotConverted(what)


def known_name(estimator: Any) -> str:
    """Give the class name of a scikit-learn object that is no more than its class. Raises `NotConverted`."""
    kind = type(estimator)
    if not kind.__module__.startswith("sklearn."):
        raise NotConverted(f"{kind.__module__}.{kind.__qualname__} has no kernels.")
    for name in vars(estimator):
        if callable(getattr(kind, name, None)):
            raise NotConverted(f"A {kind.__name__} has a {name} of its own.")
    return kind.__name__


def floats(values: Any) -> np.ndarray[Any, Any]:
    """Take what was fitted, if it is of doubles: kernels do not compute in single precision."""
    array = np.asarray(values)
    require(
        array.dtype == np.float64 or array.dtype.kind in "iu", "The model was fitted on single precision."
    )
    return array.astype(np.float64)
