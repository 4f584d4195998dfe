"""Does a row get the same prediction alone as among others? Requests are put into batches, so it must."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from modelport_runtime.core import samples
from modelport_runtime.core.engine import Engine, WrongNumberOfResults
from modelport_runtime.core.types import LoadError, Outputs, Rejected, Request

_ROUNDING = 1e-6


def check(engine: Engine, request: Request, alone: Outputs) -> None:
    """Raise `LoadError` (SampleFailed) if the row that was predicted gets another prediction in a batch."""
    # Sums of numbers of 32 bits are added in another order in a batch: such a backend says how far it rounds.
    rounding: float = getattr(engine.backend, "rounding", _ROUNDING)
    if all(_alike(alone, together.part(0, 1), rounding) for together in _among_others(engine, request)):
        return
    # What is drawn by chance differs from itself, too.
    if _alike(alone, engine.run(request), rounding):
        raise LoadError(
            "SampleFailed",
            "The model gives a row another prediction in a batch than alone. Rows are put into batches here: "
            "make each prediction depend on its own row only.",
        )


def _among_others(engine: Engine, request: Request) -> Iterator[Outputs]:
    """Return the predictions of the row and another, for each other that the model takes."""
    for other in [*_made_up(engine), *request.rows]:
        try:
            yield engine.run(Request([*request.rows, other], single=False, outputs=request.outputs))
        except WrongNumberOfResults as error:
            raise LoadError("SampleFailed", f"The model does not predict row by row: {error}.") from error
        except Exception:  # noqa: BLE001, S112  # what it raises over rows that nobody sent is nobody's concern
            continue


def _made_up(engine: Engine) -> list[Any]:
    made: list[Any] = []
    for row in samples.synthetic_rows(engine.signature):
        # What is made without the sample may be none of the model's values.
        with suppress(Rejected):
            made += engine.decode_sample({"input": row}).rows
    return made


def _alike(one: Outputs, other: Outputs, rounding: float) -> bool:
    return all(_same(values, other.values[name], rounding) for name, values in one.values.items())


def _same(one: Any, other: Any, rounding: float) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _same(value, other[key], rounding) for key, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_same(*pair, rounding) for pair in pairs)
    if isinstance(one, float) and isinstance(other, float):
        return bool(np.isclose(one, other, rtol=rounding, atol=rounding, equal_nan=True))
    return bool(one == other)
