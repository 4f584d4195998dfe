"""When the outputs of two runs of a network are the same: as close as rounding lets them be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from modelport_http.wording import counted

from modelport_runtime.core.acceleration.networks.kernels import Array
from modelport_runtime.core.acceleration.networks.rounding import Spread
from modelport_runtime.core.acceleration.outcome import Differs

DEVIATIONS = 10.0
"""So many standard deviations of what rounding does to a number are no difference: both were rounded, and the
spread is known from a dozen draws."""
_LAST_PLACES = 2.0
_TINY = 1e-37
"""Below, single precision has fewer digits, or a framework none."""
_MOST = 1e-3
"""Where rounding alone may move an answer so far, of its size or the usual one, nothing can be compared."""


@dataclass(frozen=True)
class Compared:
    """`compared` and `unstable` are counts of rows. `largest`: of the differences, relative."""

    compared: int
    unstable: int
    largest: float

    @property
    def rows(self) -> int:
        """Return how many there were."""
        return self.compared + self.unstable

    def plus(self, other: "Compared") -> "Compared":
        """Return both together."""
        return Compared(
            self.compared + other.compared,
            self.unstable + other.unstable,
            max(self.largest, other.largest),
        )


def compare(
    original: Mapping[str, Array],
    kernels: Mapping[str, Array],
    spread: Spread,
    scales: dict[str, float],
    *,
    update: bool,
) -> Compared:
    """Compare outputs by name. Raises `Differs`.

    scales: how large each output usually is; update: these rows show it.
    """
    checks = [
        _check(name, one, kernels[name], spread, scales, update=update) for name, one in original.items()
    ]
    stable = ~spread.beyond
    wrong = np.zeros(len(stable), dtype=bool)
    for check in checks:
        stable &= check.stable
        wrong |= check.wrong
    wrong &= stable
    if wrong.any():
        by = max(float(check.difference[wrong].max(initial=0.0)) for check in checks)
        what = "in a label, or in what is no number," if np.isinf(by) else f"by {by:.1g}"
        raise Differs(
            f"differ from the original {what} on {int(wrong.sum()):,} of {counted(len(wrong), 'row')}, "
            "which is more than rounding does."
        )
    largest = max((float(check.difference[stable].max(initial=0.0)) for check in checks), default=0.0)
    return Compared(int(stable.sum()), int((~stable).sum()), largest)


def _check(
    name: str, one: Array, other: Array, spread: Spread, scales: dict[str, float], *, update: bool
) -> "_Check":
    if one.shape != other.shape or one.dtype != other.dtype:
        raise Differs("give an output of another shape or type than the original's.")
    if one.dtype.kind == "f":
        if update:
            scales[name] = _usual_size(one)
        return _of_numbers(one, other, spread.deviations[name], scales.get(name, 0.0))
    wrong = _by_row(one) != _by_row(other)
    if name in spread.closest:
        # A label is equal, unless the two likeliest are as close as rounding is wide.
        wrong &= _by_row(spread.closest[name]) > 2 * DEVIATIONS
    differs = wrong.any(axis=1)
    return _Check(np.ones(len(one), dtype=bool), differs, np.where(differs, np.inf, 0.0))


def _usual_size(values: Array) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(np.median(finite)) if finite.size else 0.0


def _by_row(values: Array) -> Array:
    return values.reshape(len(values), -1)


@dataclass(frozen=True)
class _Check:
    """For each row: whether it can be compared, whether it is wrong, and by how much at most, relatively."""

    stable: Array
    wrong: Array
    difference: Array


def _of_numbers(one: Array, other: Array, deviations: Array, usual: float) -> _Check:
    a, b = (_by_row(values.astype(np.float64)) for values in (one, other))
    last_places = _LAST_PLACES * float(np.finfo(one.dtype).eps)
    with np.errstate(all="ignore"):
        allowed = DEVIATIONS * _by_row(deviations) + last_places * np.abs(a) + _TINY
        size = np.maximum(np.maximum(np.abs(a), usual), _TINY)
        apart = np.abs(a - b)
        # What is no number in one alone is infinitely far away.
        apart = np.where(
            (a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.where(np.isnan(apart), np.inf, apart)
        )
        stable: Any = (~np.isfinite(a) | (allowed <= _MOST * size)).all(axis=1)
        wrong: Any = (apart > np.where(np.isfinite(a), allowed, 0.0)).any(axis=1)
        relative = np.where(apart == 0, 0.0, np.where(np.isfinite(apart), apart / size, np.inf))
    return _Check(stable, wrong, relative.max(axis=1, initial=0.0))
