"""Predictions as counts: of classes by their text, of numbers in bins that grow geometrically.

Keys: `=setosa` is a class; `0`, `+12` and `-3` are bins of numbers.
"""

import math
from collections.abc import Iterable
from typing import Any, Literal

MAX_KEYS = 100
OTHER_CLASSES = "="
"""Key of all classes beyond `MAX_KEYS`."""

Kind = Literal["classes", "numbers", "any"]

_GROWTH = 1.1
_LOG_GROWTH = math.log(_GROWTH)
_LAST_BIN = 400
"""Holds everything from about 4e16 on; its negative, everything up to about 3e-17 (0 but for 0 itself)."""


def count_predictions(counts: dict[str, int], predictions: Iterable[Any], kind: Kind) -> None:
    """Add scalars; what is none, such as the row of a model that transforms, is left out."""
    for prediction in predictions:
        key = _key(prediction, kind)
        if key is not None:
            if key not in counts and len(counts) >= 2 * MAX_KEYS:
                key = OTHER_CLASSES
            counts[key] = counts.get(key, 0) + 1


def bounds_of(key: str) -> tuple[float, float] | None:
    """Return the numbers that a bin holds, from the first to below the second; None: the key is a class's."""
    if key.startswith("="):
        return None
    if key == "0":
        return 0.0, 0.0
    low = _GROWTH ** int(key[1:])
    return (low, low * _GROWTH) if key[0] == "+" else (-low * _GROWTH, -low)


def _key(prediction: Any, kind: Kind) -> str | None:
    if isinstance(prediction, bool | str):
        return f"={_text(prediction)}"[:200]
    if not isinstance(prediction, int | float):
        return None
    if kind == "classes":
        return f"={prediction}"
    return _bin_key(float(prediction))


def _bin_key(number: float) -> str | None:
    if number == 0:
        return "0"
    if not math.isfinite(number):
        return None
    at = math.floor(math.log(abs(number)) / _LOG_GROWTH)
    return f"{'+' if number > 0 else '-'}{max(-_LAST_BIN, min(_LAST_BIN, at))}"


def _text(prediction: bool | str) -> str:
    if isinstance(prediction, str):
        return prediction
    return "true" if prediction else "false"
