"""From the columns of a version to all its figures, of the whole range and of each bucket."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from sklearn import config_context

from modelport_control_api.quality.figures import intervals
from modelport_control_api.quality.figures.classification import of_classification
from modelport_control_api.quality.figures.columns import Arrays, by_bucket
from modelport_control_api.quality.figures.figure import Figure, Figures
from modelport_control_api.quality.figures.regression import of_regression
from modelport_control_api.quality.figures.reliability import Bin, reliability
from modelport_control_api.quality.rows import Columns, Task

_MOST_UNKNOWN = 20


@dataclass(frozen=True, slots=True)
class Part:
    """Of the rows of one bucket, or of all."""

    predictions: int
    labels: int
    rewards: int
    metrics: Figures


@dataclass(frozen=True, slots=True)
class VersionQuality:
    whole: Part
    buckets: dict[int, Part]
    reliability: list[Bin]
    unknown: dict[str, int]
    """Classes that are true of rows and that the version does not know, and of how many; the most first."""


def of_version(columns: Columns) -> VersionQuality:
    """Compute all."""
    arrays = Arrays.of(columns)
    # What is given to scikit-learn was made here.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        return VersionQuality(
            _part(columns.task, arrays),
            {number: _part(columns.task, rows) for number, rows in by_bucket(columns, arrays)},
            reliability(arrays.labelled().with_scores()),
            _unknown(columns, arrays),
        )


def _part(task: Task, rows: Arrays) -> Part:
    labelled = rows.labelled()
    rewards = rows.rewards[~np.isnan(rows.rewards)]
    metrics = of_classification(labelled) if task == "classification" else of_regression(labelled)
    if len(rewards):
        metrics["reward"] = Figure.of(float(rewards.mean()), intervals.of_mean(rewards), len(rewards))
    return Part(len(rows), len(labelled), len(rewards), metrics)


def _unknown(columns: Columns, arrays: Arrays) -> dict[str, int]:
    if columns.task == "regression" or not columns.known:
        return {}
    names = list(columns.codes)
    counts = Counter(dict(enumerate(np.bincount(arrays.labelled().truth.astype(np.int64)))))
    unknown = {names[code]: int(rows) for code, rows in counts.most_common() if rows}
    found = [(name, rows) for name, rows in unknown.items() if name not in columns.known]
    return dict(found[:_MOST_UNKNOWN])
