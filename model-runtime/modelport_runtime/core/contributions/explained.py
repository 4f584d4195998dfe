"""The form of contributions: numbers that add up to what a model computed, checked before they leave."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from modelport_http.wording import counted

from modelport_runtime.core.responses import class_keys
from modelport_runtime.core.signature import CONTRIBUTIONS, Signature
from modelport_runtime.core.types import Failure, FieldError, Rejected

Scale = Literal["prediction", "log_prediction", "probability", "log_odds", "score"]
"""What base and contributions add up to: the prediction, or its logarithm; a class's probability, its
log-odds, or its score (what the classes' probabilities are made from, or the decision function).
"""
TOLERANCE = 1e-6
MAX_CELLS = 50_000_000
"""Numbers to compute for one request: about a second of one processor."""

Matrix = np.ndarray[Any, Any]


class Form:
    """Writes one model's contributions: n × outputs × (columns + 1), the base last."""

    def __init__(self, signature: Signature, scale: Scale, outputs: int) -> None:
        self._names = [column.name for column in signature.columns or ()]
        keys = class_keys(signature.classes or ())
        self._each = keys if outputs > 1 else None
        # Two classes share one sum: it speaks for the second.
        self._head = {"scale": scale} | ({"class": keys[1]} if len(keys) == 2 and outputs == 1 else {})

    def rows(self, explained: Matrix) -> list[Any]:
        """Return an object a row, as docs/api.md has it."""
        listed = explained.tolist()
        if self._each is None:
            return [{**self._head, **self._sum(only)} for (only,) in listed]
        return [
            {**self._head, "classes": dict(zip(self._each, map(self._sum, row), strict=True))}
            for row in listed
        ]

    def array(self, explained: Matrix) -> Matrix:
        """Return the tensor: without the middle size where there is one sum only."""
        return explained[:, 0] if self._each is None else explained

    def _sum(self, numbers: list[float]) -> dict[str, Any]:
        return {"base": numbers[-1], "values": dict(zip(self._names, numbers, strict=False))}


def can_be_named(signature: Signature) -> bool:
    """Return whether each column has a name of its own, and each class."""
    names = [column.name for column in signature.columns or ()]
    return bool(names) and len(set(names)) == len(names)


def check_work(rows: int, cells: int) -> None:
    """`cells`: numbers a row. Raises `Rejected`: 422 for what would hold up all others."""
    if rows * cells <= MAX_CELLS:
        return
    most = MAX_CELLS // cells
    cure = f"Send at most {counted(most, 'row')} in one request." if most else "Ask for the prediction alone."
    detail = (
        f"The contributions of {counted(rows, 'row')} are too much work for one request: this model's trees "
        f"take {cells:,} numbers a row. {cure}"
    )
    errors: list[FieldError] = [{"field": "return", "message": detail}]
    raise Rejected(Failure(422, "Too many contributions", detail, errors=errors))


def check_sums(explained: Matrix, computed: Matrix, tolerance: float = TOLERANCE) -> None:
    """Compare base + contributions with what the model computed, n × outputs.

    Raises `Rejected` (500) where they are apart by more than the terms' rounding: as part of the largest of
    them, since what cancels leaves the rounding of what it was.
    """
    if not add_up(explained, computed, tolerance):
        detail = "Base and contributions do not add up to what the model computed, so they are not returned."
        raise Rejected(Failure(500, "No contributions", detail, reason="ModelError"))


def add_up(explained: Matrix, computed: Matrix, tolerance: float = TOLERANCE) -> bool:
    """Return whether the terms' sums are the numbers computed, see `check_sums`; all that are finite."""
    with np.errstate(all="ignore"):
        sums = explained.sum(axis=2)
        scale = np.maximum(np.abs(explained).max(axis=2), np.maximum(np.abs(computed), 1e-9))
        return bool(((np.abs(sums - computed) <= tolerance * scale) | ~np.isfinite(computed)).all())


def names_of(outputs: Sequence[str]) -> tuple[str, ...]:
    """Return the outputs without contributions."""
    return tuple(name for name in outputs if name != CONTRIBUTIONS)
