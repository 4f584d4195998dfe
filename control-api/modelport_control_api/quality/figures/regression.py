"""Metrics of regressions, by scikit-learn, and how far off each may be."""

from math import sqrt

import numpy as np
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from modelport_control_api.quality.figures import intervals
from modelport_control_api.quality.figures.columns import Arrays, Floats
from modelport_control_api.quality.figures.figure import Figure, Figures


def of_regression(rows: Arrays) -> Figures:
    """rows: labelled ones. `bias`: the mean of what is predicted, minus that of what is true."""
    if not len(rows):
        return {}
    errors = rows.predicted - rows.truth
    mae = float(mean_absolute_error(rows.truth, rows.predicted))
    return {
        "mae": Figure.of(mae, intervals.of_mean(np.abs(errors)), len(rows)),
        "rmse": _rmse(rows, np.square(errors)),
        **_r2(rows, np.square(errors)),
        "bias": Figure.of(float(errors.mean()), intervals.of_mean(errors), len(rows)),
    }


def _rmse(rows: Arrays, squares: Floats) -> Figure:
    """The interval is that of the mean square (Student's t), and its roots."""
    value = sqrt(mean_squared_error(rows.truth, rows.predicted))
    found = intervals.of_mean(squares)
    roots = found and (sqrt(max(0.0, found[0])), sqrt(max(0.0, found[1])))
    return Figure.of(value, roots, len(rows))


def _r2(rows: Arrays, squares: Floats) -> Figures:
    """The interval is by its influence function (delta method): 1 - mean square / variance of the truth."""
    deviations = np.square(rows.truth - rows.truth.mean())
    variance = float(deviations.mean())
    if not variance > 0:
        return {}
    value, mean = float(r2_score(rows.truth, rows.predicted)), float(squares.mean())
    influences = -(squares - mean) / variance + mean * (deviations - variance) / variance**2
    found = intervals.of_any(value, influences)
    bounded = found and (found[0], min(1.0, found[1]))
    return {"r2": Figure.of(value, bounded, len(rows))}
