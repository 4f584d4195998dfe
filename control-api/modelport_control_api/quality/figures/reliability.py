"""Whether probabilities are what they say: of rows predicted with 80 %, are 80 % right?"""

from typing import NamedTuple

import numpy as np

from modelport_control_api.quality.figures import intervals
from modelport_control_api.quality.figures.columns import Arrays, Floats
from modelport_control_api.quality.figures.figure import Figure, Figures

BINS = 10


class Bin(NamedTuple):
    """Rows whose confidence lies between `start` and `end`. `accuracy`: the share that is right."""

    start: float
    end: float
    rows: int
    confidence: float
    accuracy: float
    lower: float
    upper: float


def reliability(rows: Arrays, confidence: float = intervals.CONFIDENCE) -> list[Bin]:
    """rows: labelled ones, with scores. Bins without rows are left out.

    A row's confidence is the probability of what is predicted, in a bin of ten that are equally wide.
    """
    sure, right = _confidences(rows)
    places = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    sums = np.bincount(places, sure, minlength=BINS)
    hits = np.bincount(places, right, minlength=BINS)
    return [
        Bin(
            place / BINS,
            (place + 1) / BINS,
            int(counts[place]),
            float(sums[place] / counts[place]),
            float(hits[place] / counts[place]),
            *intervals.wilson(hits[place], counts[place], confidence),
        )
        for place in np.flatnonzero(counts)
    ]


def expected_calibration_error(rows: Arrays) -> Figures:
    """By how much confidence and accuracy differ, over the bins of `reliability` (Naeini et al. 2015).

    Chance alone makes it larger than it is, so that no interval around it would be sound. This one is of the
    bins: it is all that the error can be while each bin's accuracy is in its Wilson interval, all of them at
    once (Bonferroni). It is wide rather than wrong, and begins at 0 where nothing speaks against the
    probabilities.
    """
    bins = reliability(rows)
    if not bins:
        return {}
    at_once = reliability(rows, 1 - (1 - intervals.CONFIDENCE) / len(bins))
    value = sum(each.rows * abs(each.accuracy - each.confidence) for each in bins) / len(rows)
    lower = sum(each.rows * _nearest(each) for each in at_once) / len(rows)
    upper = sum(each.rows * _farthest(each) for each in at_once) / len(rows)
    return {"calibration_error": Figure.of(float(value), (float(lower), float(upper)), len(rows))}


def _nearest(each: Bin) -> float:
    return max(0.0, each.lower - each.confidence, each.confidence - each.upper)


def _farthest(each: Bin) -> float:
    return max(each.upper - each.confidence, each.confidence - each.lower)


def _confidences(rows: Arrays) -> tuple[Floats, Floats]:
    """Return the probability of each row's prediction, and whether that was right.

    What has no probability of its own, as where an unknown class is predicted, has none.
    """
    is_it = rows.predicted[:, None] == rows.scored
    sure = np.where(is_it, rows.scores, 0).sum(axis=1)
    return np.clip(sure, 0, 1), (rows.predicted == rows.truth).astype(np.float64)
