"""Whether two versions answered a row differently.

Labels (texts, whole numbers, booleans, and what is missing) must be equal, numbers within 1 % of the greater,
probabilities within a total variation of 0.1.
"""

import math
import sys
from collections.abc import Callable
from typing import Any, TypeGuard

RELATIVE = 0.01
SMALLEST = 1e-9
TOTAL_VARIATION = 0.1
_DEEPEST = 16
_NOT_COMPARED = {"model", "version", "contributions"}


def disagreements(baseline: Any, candidate: Any) -> list[bool]:
    """Say of each row of two decoded predict responses whether the answers differ.

    What is no such response, or of another number of rows, differs in every row.
    """
    first, second = _rows(baseline), _rows(candidate)
    if len(first) != len(second):
        return [True] * max(len(first), len(second))
    return [_row_differs(one, other) for one, other in zip(first, second, strict=True)]


def disagreement_at(baseline: Any, candidate: Any, draw: Callable[[int], int]) -> tuple[int, bool]:
    """Return one row, `draw`n of so many, and whether the answers to it differ; as `disagreements`."""
    first, second = _outputs(baseline), _outputs(candidate)
    numbers = _number(first), _number(second)
    row = draw(max(1, *numbers))
    if numbers[0] != numbers[1] or not numbers[0]:
        return row, numbers[0] != numbers[1]
    return row, _row_differs(_row(first, row, numbers[0]), _row(second, row, numbers[1]))


def _rows(response: Any) -> list[dict[str, Any]]:
    outputs = _outputs(response)
    number = _number(outputs)
    return [_row(outputs, row, number) for row in range(number)]


def _outputs(response: Any) -> dict[str, Any]:
    if not isinstance(response, dict):
        return {}
    return {name: each for name, each in response.items() if name not in _NOT_COMPARED}


def _number(outputs: dict[str, Any]) -> int:
    predictions = outputs.get("predictions")
    return len(predictions) if isinstance(predictions, list) else 1


def _row(outputs: dict[str, Any], row: int, number: int) -> dict[str, Any]:
    if "predictions" not in outputs:
        return outputs
    return {name: _at(each, row, number) for name, each in outputs.items()}


def _at(output: Any, row: int, number: int) -> Any:
    return output[row] if isinstance(output, list) and len(output) == number else output


def _row_differs(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if not one or one.keys() != other.keys():
        return True
    return any(
        _vary(one[name], other[name]) if name == "probabilities" else _differ(one[name], other[name], 0)
        for name in one
    )


def _differ(one: Any, other: Any, depth: int) -> bool:
    if depth > _DEEPEST:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() != other.keys() or any(_differ(one[key], other[key], depth + 1) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) != len(other) or any(_differ(*pair, depth + 1) for pair in pairs)
    if isinstance(one, float) or isinstance(other, float):
        return _numbers_differ(one, other)
    return bool(one != other)


def _numbers_differ(one: Any, other: Any) -> bool:
    if not (_is_number(one) and _is_number(other)):
        return True
    if not (math.isfinite(one) and math.isfinite(other)):
        return repr(one) != repr(other)
    return abs(one - other) > max(RELATIVE * max(abs(one), abs(other)), SMALLEST)


def _is_number(value: object) -> TypeGuard[float]:
    """Whether it can be compared with a float: an int that is longer than any float cannot."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= sys.float_info.max)


def _vary(one: Any, other: Any) -> bool:
    """By name where they have names: a class that is missing has the probability 0."""
    first, second = _shares(one), _shares(other)
    if first is None or second is None:
        return _differ(one, other, 0)
    apart = sum(abs(first.get(name, 0.0) - second.get(name, 0.0)) for name in first.keys() | second.keys())
    return not apart / 2 <= TOTAL_VARIATION


def _shares(probabilities: Any) -> dict[Any, float] | None:
    named = dict(enumerate(probabilities)) if isinstance(probabilities, list) else probabilities
    if not isinstance(named, dict) or not all(map(_is_number, named.values())):
        return None
    return named
