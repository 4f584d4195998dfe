"""Intervals that hold the true value in 95 of 100 samples. Analytic: the same rows give the same interval.

`None`: so few rows, or rows without any variance, say nothing about how far off the estimate may be.
"""

from math import sqrt
from statistics import NormalDist

import numpy as np
from scipy.special import expit, logit, stdtrit

from modelport_control_api.quality.figures.columns import Floats

CONFIDENCE = 0.95
FEWEST_ROWS = 30
"""For intervals that lean on the central limit theorem."""
Interval = tuple[float, float] | None
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def wilson(hits: float, rows: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Of a share (Wilson 1927; Brown, Cai and DasGupta 2001): it holds with few rows, and near 0 and 1."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, pull = hits / rows, z * z / rows
    middle = (share + pull / 2) / (1 + pull)
    half = z * sqrt(share * (1 - share) / rows + pull / (4 * rows)) / (1 + pull)
    return max(0.0, middle - half), min(1.0, middle + half)


def of_mean(values: Floats) -> Interval:
    """Student's t interval."""
    error = _standard_error(values)
    if error is None:
        return None
    half = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2)) * error
    return float(values.mean()) - half, float(values.mean()) + half


def of_share_like(value: float, influences: Floats) -> Interval:
    """Of what lies between 0 and 1, such as an AUC: by its influence function, on the logit scale, so that it
    stays there (delta method; for AUC Pepe 2003).

    influences: by how much each row moves the value, times the number of rows (von Mises derivative).
    """
    error = _standard_error(influences)
    if error is None or not 0 < value < 1:
        return None
    middle, half = logit(value), _Z * error / (value * (1 - value))
    return float(expit(middle - half)), float(expit(middle + half))


def of_any(value: float, influences: Floats) -> Interval:
    """The same of what has no such bounds."""
    error = _standard_error(influences)
    return None if error is None else (value - _Z * error, value + _Z * error)


def _standard_error(values: Floats) -> float | None:
    if len(values) < FEWEST_ROWS:
        return None
    error = float(np.std(values, ddof=1)) / sqrt(len(values))
    # Rounding leaves a little of what is constant.
    return error if error > 1e-15 * max(1.0, float(np.abs(values).max())) else None
