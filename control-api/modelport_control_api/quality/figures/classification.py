"""Metrics of classifications, by scikit-learn, and how far off each may be."""

from collections.abc import Iterator

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import accuracy_score, brier_score_loss, f1_score, log_loss, roc_auc_score

from modelport_control_api.quality.figures import intervals
from modelport_control_api.quality.figures.columns import Arrays, Codes, Floats
from modelport_control_api.quality.figures.figure import Figure, Figures
from modelport_control_api.quality.figures.reliability import expected_calibration_error


def of_classification(rows: Arrays) -> Figures:
    """rows: labelled ones. Without probabilities, accuracy and macro F1 alone."""
    if not len(rows):
        return {}
    scored = rows.with_scores()
    return _of_labels(rows) | (_of_scores(scored) if len(scored) else {})


def _of_labels(rows: Arrays) -> Figures:
    truth, predicted = rows.truth.astype(np.int64), rows.predicted.astype(np.int64)
    accuracy = float(accuracy_score(truth, predicted))
    # As scikit-learn has it: of all classes that are predicted or true.
    f1 = float(f1_score(truth, predicted, average="macro", zero_division=0))
    right = int((truth == predicted).sum())
    return {
        "accuracy": Figure.of(accuracy, intervals.wilson(right, len(rows)), len(rows)),
        "f1_macro": Figure.of(f1, intervals.of_share_like(f1, _f1_influences(truth, predicted)), len(rows)),
    }


def _f1_influences(truth: Codes, predicted: Codes) -> Floats:
    """Of macro F1 (the variance of Takahashi et al. 2022, without their table of K × K cells).

    Of a class F = 2a/b, where a is the share of rows that are rightly predicted as it, and b the sum of the
    shares that are predicted as it and that are it. A row moves that by 2/b where it is in a, by -F/b each
    time it is in b.
    """
    names, places = np.unique(np.concatenate([truth, predicted]), return_inverse=True)
    count, rows = len(names), len(truth)
    is_, said = places[:rows], places[rows:]
    right = is_ == said
    b = (np.bincount(is_, minlength=count) + np.bincount(said, minlength=count)) / rows
    f = 2 * np.bincount(is_[right], minlength=count) / rows / b
    influences: Floats = (2 * right / b[is_] - (f / b)[is_] - (f / b)[said]) / count
    return influences


def _of_scores(rows: Arrays) -> Figures:
    truth = rows.truth.astype(np.int64)
    scores, classes = _with_unknown(rows, truth)
    place = np.searchsorted(classes, truth)
    return {
        **_roc_auc(rows, truth),
        "log_loss": _log_loss(place, scores),
        "brier": _brier(place, scores, is_binary=rows.scored.size == 2),
        **expected_calibration_error(rows),
    }


def _with_unknown(rows: Arrays, truth: Codes) -> tuple[Floats, Codes]:
    """Return a column for each class, sorted by their codes. Classes that are true, and that the version does
    not know, have none of its probability.
    """
    classes = np.union1d(rows.scored, truth)
    scores = np.zeros((len(rows), len(classes)))
    scores[:, np.searchsorted(classes, rows.scored)] = rows.scores
    return scores, classes


def _log_loss(place: Codes, scores: Floats) -> Figure:
    value = float(log_loss(place, scores, labels=range(scores.shape[1])))
    given = scores[np.arange(len(place)), place]
    # Clipped as scikit-learn clips: one certain mistake would be infinite.
    losses = -np.log(np.clip(given, np.finfo(np.float64).eps, 1))
    return Figure.of(value, intervals.of_mean(losses), len(place))


def _brier(place: Codes, scores: Floats, *, is_binary: bool) -> Figure:
    """Of two classes the square of the one's error, of more the sum of all their squares, as is usual."""
    labels = np.arange(scores.shape[1])
    value = float(brier_score_loss(place, scores, labels=labels, scale_by_half=is_binary))
    squares = np.square(scores - (place[:, None] == labels)).sum(axis=1) / (2 if is_binary else 1)
    return Figure.of(value, intervals.of_mean(squares), len(place))


def _roc_auc(rows: Arrays, truth: Codes) -> Figures:
    """Each class against all others, and the mean of those that are true of some rows and not of all.

    The interval is DeLong's (1988), by ranks as Sun and Xu (2014) have them; of several classes each row's
    influence is the mean of its influences on their AUCs.
    """
    found = list(_roc_auc_of_each(rows, truth))
    if not found:
        return {}
    value = sum(value for value, _ in found) / len(found)
    influences = sum((each for _, each in found), np.zeros(len(rows))) / len(found)
    return {"roc_auc": Figure.of(value, intervals.of_share_like(value, influences), len(rows))}


def _roc_auc_of_each(rows: Arrays, truth: Codes) -> Iterator[tuple[float, Floats]]:
    for code, scores in zip(rows.scored, rows.scores.T, strict=True):
        is_it = truth == code
        if 0 < is_it.sum() < len(rows):
            value = float(roc_auc_score(is_it, scores))
            yield value, _auc_influences(is_it, scores, value)


def _auc_influences(
    is_it: "np.ndarray[tuple[int], np.dtype[np.bool]]", scores: Floats, value: float
) -> Floats:
    """A row's placement is the share of rows of the other kind that it is on the right side of."""
    positives, negatives = int(is_it.sum()), int((~is_it).sum())
    ranks = rankdata(scores)
    placements = np.empty(len(scores))
    placements[is_it] = (ranks[is_it] - rankdata(scores[is_it])) / negatives
    placements[~is_it] = 1 - (ranks[~is_it] - rankdata(scores[~is_it])) / positives
    share = np.where(is_it, positives, negatives) / len(scores)
    influences: Floats = (placements - value) / share
    return influences
