"""The first row that code of a user's own gets: the sample, or one that is made up."""

from collections.abc import Callable, Mapping
from typing import Any

from modelport_runtime.core.backends.estimators.results import Unreadable
from modelport_runtime.core.rows import RowDecoder
from modelport_runtime.core.samples import synthetic_rows
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import Outputs


def first_inputs(signature: Signature, row: Any, assemble: Callable[[list[Any]], Any]) -> Any:
    """Return what one row is assembled to. Raises `Rejected` for a sample that does not fit."""
    first = next(synthetic_rows(signature)) if row is None else row
    return assemble(RowDecoder(signature).read_rows([first], "input"))


def only(outputs: Mapping[str, list[Any]], wanted: tuple[str, ...], name: str) -> Outputs:
    """Return the outputs that are wanted. Raises `Unreadable` for one that is not there this time."""
    missing = [each for each in wanted if each not in outputs]
    if missing:
        raise Unreadable(f"{name} gave no {missing[0]} this time: give the same outputs for all rows")
    return Outputs({each: outputs[each] for each in wanted})
