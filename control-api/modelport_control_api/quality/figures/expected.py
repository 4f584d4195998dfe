"""Performance before labels come: expected from calibrated probabilities (confidence-based estimation, CBPE).

As NannyML published it: where probabilities are calibrated, a row predicted with 0.8 is right with a chance
of 0.8, so that it adds that much to a cell of the expected confusion matrix. Here rows whose truth is known
add what is known of them: the estimate becomes the performance itself while labels arrive.
"""

from collections.abc import Mapping
from math import sqrt
from statistics import NormalDist

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score

from modelport_control_api.quality.curves import Calibration, Curve
from modelport_control_api.quality.figures.columns import Arrays, Floats
from modelport_control_api.quality.figures.figure import Figure, Figures
from modelport_control_api.quality.figures.intervals import CONFIDENCE

FEWEST_ROWS = 100
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def fit(rows: Arrays, names: Mapping[int, str]) -> Calibration | None:
    """Return for each class the isotonic curve from its probability to how often it was true.

    rows: labelled ones, with scores. names: of codes. None: too few rows, or none of a class with a score.
    """
    if len(rows) < FEWEST_ROWS or not np.isin(rows.truth, rows.scored).any():
        return None
    curves = {
        names[int(code)]: _curve(scores, rows.truth == code)
        for code, scores in zip(rows.scored, rows.scores.T, strict=True)
    }
    return Calibration(curves, len(rows))


def _curve(scores: Floats, is_it: Floats) -> Curve:
    fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(scores, is_it)
    return Curve(fitted.X_thresholds_.tolist(), fitted.y_thresholds_.tolist())


def expected(rows: Arrays, names: Mapping[int, str], calibration: Calibration) -> Figures:
    """rows: all, labelled or not; nothing of a version whose classes are others, or once all truth is known.

    The interval is of chance alone: where labels come to lie if the probabilities are as calibrated.
    """
    rows = rows.where(~np.isnan(rows.predicted)).with_scores()
    waiting = np.isnan(rows.truth)
    if not waiting.any() or {names[int(code)] for code in rows.scored} != calibration.curves.keys():
        return {}
    chances = _chances(rows, waiting, names, calibration)
    return {
        "accuracy": _mean(chances, (rows.predicted[:, None] == rows.scored).astype(np.float64), waiting),
        **_roc_auc(rows, chances),
        "brier": _brier(rows, chances, waiting),
    }


def _chances(rows: Arrays, waiting: Floats, names: Mapping[int, str], calibration: Calibration) -> Floats:
    """Return how likely each class is true of each row; 1 and 0 where it is known."""
    curves = [calibration.curves[names[int(code)]] for code in rows.scored]
    calibrated = np.column_stack(
        [
            np.interp(scores, curve.scores, curve.shares)
            for curve, scores in zip(curves, rows.scores.T, strict=True)
        ]
    )
    sums = calibrated.sum(axis=1, keepdims=True)
    # Where the curves leave nothing to any class, the probabilities are all there is.
    chances = np.where(sums > 0, calibrated / np.where(sums > 0, sums, 1), rows.scores)
    known: Floats = (rows.truth[:, None] == rows.scored).astype(np.float64)
    return np.where(waiting[:, None], chances, known)


def _mean(chances: Floats, values: Floats, waiting: Floats, constant: Floats | float = 0.0) -> Figure:
    """Of what has this value if the class is the true one, and the constant besides."""
    means = (chances * values).sum(axis=1)
    variances = np.maximum((chances * values**2).sum(axis=1) - means**2, 0)
    value = float((means + constant).mean())
    half = _Z * sqrt(float(variances[waiting].sum())) / len(means)
    return Figure.of(value, (max(0.0, value - half), value + half), int(waiting.sum()))


def _brier(rows: Arrays, chances: Floats, waiting: Floats) -> Figure:
    """The squares over all classes are Σp² - 2p + 1 of the true one's p; of two classes half of that."""
    scale = 2 if rows.scored.size == 2 else 1
    constant = (np.square(rows.scores).sum(axis=1) + 1) / scale
    return _mean(chances, -2 * rows.scores / scale, waiting, constant)


def _roc_auc(rows: Arrays, chances: Floats) -> Figures:
    """Each row counts as one of the class by its chance, and as none by the rest."""
    found = []
    for scores, chance in zip(rows.scores.T, chances.T, strict=True):
        if 0 < chance.sum() < len(chance):
            truth = np.repeat([1, 0], len(scores))
            weights = np.concatenate([chance, 1 - chance])
            found.append(float(roc_auc_score(truth, np.tile(scores, 2), sample_weight=weights)))
    if not found:
        return {}
    return {"roc_auc": Figure.of(sum(found) / len(found), None, int(np.isnan(rows.truth).sum()))}
