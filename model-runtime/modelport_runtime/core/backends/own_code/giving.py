"""What a function of a user's own gave → outputs by name, one JSON value a row; anything else is an error."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelport_runtime.core.backends.estimators.probabilities import of_classes
from modelport_runtime.core.backends.estimators.results import Unreadable, rows_of
from modelport_runtime.core.responses import by_key, class_key, class_keys, plain

MAX_OUTPUTS = 32
_MAX_NAME = 64
_SCALARS = (bool, int, float, str, type(None))


def outputs_in(given: Any, name: str, classes: Sequence[Any] | None) -> dict[str, list[Any]]:
    """Return each output with its values; `prediction` alone for what is no dict of lists.

    Whether they are one a row the engine checks. Raises `Unreadable` for what are no JSON values.
    """
    if not isinstance(given, Mapping):
        return {"prediction": _listed(given, name)}
    if "prediction" not in given:
        raise Unreadable(
            f'{name} gave a dict without "prediction": give a list, one prediction a row, or a dict of '
            'such lists, {"prediction": [...], "reason": [...]}'
        )
    _check_names(given, name)
    listed = {each: _of(each, value, f"{name}'s {each}", classes) for each, value in given.items()}
    return {"prediction": listed.pop("prediction"), **listed}


def _check_names(given: Mapping[Any, Any], name: str) -> None:
    if len(given) > MAX_OUTPUTS:
        raise Unreadable(f"{name} gave {len(given)} outputs: give {MAX_OUTPUTS} at most")
    for each in given:
        if not isinstance(each, str) or not each.isidentifier() or len(each) > _MAX_NAME:
            raise Unreadable(
                f"{name} gave an output {str(each)[:_MAX_NAME]!r}: name it by letters, digits and _"
            )
        if each in ("model", "version", "predictions"):
            raise Unreadable(f"{name} gave an output {each!r}, as a response has one: name it otherwise")


def _of(output: str, given: Any, name: str, classes: Sequence[Any] | None) -> list[Any]:
    rows = rows_of(given, name) if output == "probabilities" else None
    if isinstance(rows, np.ndarray) and rows.ndim == 2:
        if classes is None or len(classes) != rows.shape[1]:
            raise Unreadable(
                f"{name} are {rows.shape[1]} a row: name them by the attribute classes of the model"
            )
        return by_key(of_classes(rows), class_keys(classes))
    listed = _listed(given, name)
    if output == "probabilities" and listed and all(isinstance(each, dict) for each in listed):
        of_classes(np.array([list(each.values()) for each in listed], dtype=float))
    return listed


def _listed(given: Any, name: str) -> list[Any]:
    if hasattr(given, "to_dict") and hasattr(given, "columns"):
        given = given.to_dict("records")
    rows = rows_of(given, name)
    if isinstance(rows, np.ndarray) and rows.dtype.kind != "O":
        listed: list[Any] = plain(rows)
        return listed
    return [_json(each, name) for each in rows]


def _json(value: Any, name: str) -> Any:
    if isinstance(value, _SCALARS):
        return plain(value)
    if isinstance(value, Mapping):
        return {class_key(key): _json(each, name) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json(each, name) for each in value]
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        return [_json(each, name) for each in value]
    if isinstance(value, np.generic | np.ndarray) or hasattr(value, "isoformat") or _is_missing(value):
        return plain(value)
    raise Unreadable(
        f"{name} gave a {type(value).__name__}, which JSON has no form for: "
        "give numbers, texts, lists or dicts"
    )


def _is_missing(value: Any) -> bool:
    return type(value).__name__ in ("NAType", "NaTType")
