"""From the columns of a version to all its figures, of the whole range and of each bucket."""

from collections import Counter
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn import config_context

from modelport_control_api.quality.curves import Calibration
from modelport_control_api.quality.figures import intervals
from modelport_control_api.quality.figures.classification import of_classification
from modelport_control_api.quality.figures.columns import Arrays, by_bucket
from modelport_control_api.quality.figures.expected import expected, fit
from modelport_control_api.quality.figures.figure import Figure, Figures
from modelport_control_api.quality.figures.regression import of_regression
from modelport_control_api.quality.figures.reliability import Bin, reliability
from modelport_control_api.quality.rows import Columns

_MOST_UNKNOWN = 20


@dataclass(frozen=True, slots=True)
class Part:
    """Of the rows of one bucket, or of all."""

    predictions: int
    labels: int
    rewards: int
    metrics: Figures
    expected: Figures


@dataclass(frozen=True, slots=True)
class VersionQuality:
    whole: Part
    buckets: dict[int, Part]
    reliability: list[Bin]
    calibration: Calibration | None
    unknown: dict[str, int]
    """Classes that are true of rows and that the version does not know, and of how many; the most first."""


def of_version(columns: Columns, basis: Calibration | Columns | None = None) -> VersionQuality:
    """Compute all. basis: the calibration for what is expected, or labelled rows to fit one to."""
    arrays = Arrays.of(columns)
    # What is given to scikit-learn was made here.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        calibration = fit_columns(basis) if isinstance(basis, Columns) else basis
        part = partial(_part, columns, calibration)
        return VersionQuality(
            part(arrays),
            {number: part(rows) for number, rows in by_bucket(columns, arrays)},
            reliability(arrays.labelled().with_scores()),
            calibration,
            _unknown(columns, arrays),
        )


def fit_columns(columns: Columns) -> Calibration | None:
    """None: too few of its rows have a label and probabilities."""
    return fit(Arrays.of(columns).labelled().with_scores(), _names(columns))


def _names(columns: Columns) -> dict[int, str]:
    return {code: name for name, code in columns.codes.items()}


def _part(columns: Columns, calibration: Calibration | None, rows: Arrays) -> Part:
    labelled = rows.labelled()
    rewards = rows.rewards[~np.isnan(rows.rewards)]
    metrics = of_classification(labelled) if columns.task == "classification" else of_regression(labelled)
    if len(rewards):
        metrics["reward"] = Figure.of(float(rewards.mean()), intervals.of_mean(rewards), len(rewards))
    waiting = expected(rows, _names(columns), calibration) if calibration else {}
    return Part(len(rows), len(labelled), len(rewards), metrics, waiting)


def _unknown(columns: Columns, arrays: Arrays) -> dict[str, int]:
    if columns.task == "regression" or not columns.known:
        return {}
    names = list(columns.codes)
    counts = Counter(dict(enumerate(np.bincount(arrays.labelled().truth.astype(np.int64)))))
    unknown = {names[code]: int(rows) for code, rows in counts.most_common() if rows}
    found = [(name, rows) for name, rows in unknown.items() if name not in columns.known]
    return dict(found[:_MOST_UNKNOWN])
