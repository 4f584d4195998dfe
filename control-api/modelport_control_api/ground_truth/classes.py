"""Classes by their names, whichever kind of JSON value says which: text, number or boolean.

A label is read as the kind of value that the version predicts: a CSV file has nothing but texts, and pandas
writes the classes of a column with missing values as 1.0. So to a version that predicts numbers 1, 1.0, "1",
"1.0" and true are one class, to one that predicts booleans true, "true" and 1; to one that predicts texts a
text is what it is, and a number or boolean the text that JSON has for it, whole numbers without a point.
"""

from math import isfinite
from typing import Any

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


def class_name(value: Any, prediction: Any) -> str:
    """Return the name of the class that a label or key says, of a version that predicts such a prediction."""
    if isinstance(prediction, bool):
        return _of_boolean(value)
    if isinstance(prediction, int | float):
        number = number_of(value)
        return _written(value) if number is None else _written(number)
    return _written(value)


def is_right(prediction: Any, label: Any) -> bool:
    """Return whether both say the same class."""
    return class_name(prediction, prediction) == class_name(label, prediction)


def number_of(value: Any) -> float | int | None:
    """Return the number that a JSON value says, true as 1; None: it says none."""
    if isinstance(value, int | float):
        return +value
    try:
        number = float(value) if isinstance(value, str) and "_" not in value else None
    except ValueError:
        return None
    return number if number is not None and isfinite(number) else None


def _of_boolean(value: Any) -> str:
    name = _written(+value if isinstance(value, bool) else value)
    known = _BOOLEANS.get(name.strip().lower())
    return name if known is None else _written(known)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
