"""Figures of what a version predicted: right values where rows are few, odd or missing."""

import math
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pytest
from modelport_control_api.quality import rows
from sklearn import metrics

from tests.control_api.unit.quality.observed import AT, figures, seen, values

BINARY = {"task": "classifier", "classes": [0, 1]}


def test_labels_of_other_kinds_count_as_the_class_they_say() -> None:
    found = values([seen(1, "1.0"), seen(0, False), seen(1, 1.0), seen(0, "1")], BINARY)
    assert found["accuracy"] == 0.75


def test_rows_without_a_label_count_as_predictions_alone() -> None:
    whole = figures([seen("a", "a"), seen("a"), seen("b", "a"), seen("b")]).whole
    assert (whole.predictions, whole.labels, whole.rewards) == (4, 2, 0)
    assert whole.metrics["accuracy"][:1] == (0.5,)


def test_nothing_is_said_where_nothing_is_known() -> None:
    found = figures([seen("a"), seen("b")])
    assert found.whole.metrics == {}
    assert found.reliability == []


def test_two_classes_have_the_auc_and_brier_score_of_one() -> None:
    scores, truth = [0.1, 0.4, 0.35, 0.8, 0.35], [0, 0, 1, 1, 0]
    found = values(
        [
            seen(int(score > 0.5), label, probabilities={"0": 1 - score, "1": score})
            for score, label in zip(scores, truth, strict=True)
        ],
        BINARY,
    )
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(truth, scores), abs=1e-12)
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(truth, scores), abs=1e-12)
    assert found["log_loss"] == pytest.approx(metrics.log_loss(truth, scores), abs=1e-12)


def test_a_class_that_the_version_does_not_know_is_a_mistake_and_is_named() -> None:
    sure = {"cat": 0.7, "dog": 0.3}
    found = figures(
        [
            seen("cat", "cat", probabilities=sure),
            seen("cat", "dog", probabilities=sure),
            *(seen("cat", "owl", probabilities=sure) for _ in range(2)),
        ]
    )
    assert found.unknown == {"owl": 2}
    assert found.whole.metrics["accuracy"].value == 0.25
    # As scikit-learn has it, given a third column without any probability.
    scores = [[0.7, 0.3, 0]] * 4
    truth, labels = ["cat", "dog", "owl", "owl"], ["cat", "dog", "owl"]
    log_loss = metrics.log_loss(truth, scores, labels=labels)
    assert found.whole.metrics["log_loss"].value == pytest.approx(log_loss, abs=1e-12)
    brier = metrics.brier_score_loss(truth, scores, labels=labels, scale_by_half=True)
    assert found.whole.metrics["brier"].value == pytest.approx(brier, abs=1e-12)


def test_auc_is_of_the_classes_that_occur() -> None:
    scores = np.random.default_rng(1).dirichlet([1, 1, 1], 60)
    truth = [["a", "b"][row % 2] for row in range(60)]
    found = values(
        [
            seen("a", label, probabilities=dict(zip("abc", map(float, row), strict=True)))
            for row, label in zip(scores, truth, strict=True)
        ]
    )
    of_each = [
        metrics.roc_auc_score([label == name for label in truth], scores[:, place])
        for place, name in enumerate("ab")
    ]
    assert found["roc_auc"] == pytest.approx(np.mean(of_each), abs=1e-12)


def test_where_all_rows_are_of_one_class_there_is_no_auc() -> None:
    found = values([seen("a", "a", probabilities={"a": 0.9, "b": 0.1}) for _ in range(40)])
    assert "roc_auc" not in found
    assert found["brier"] == pytest.approx(0.01)


def test_rows_without_their_probabilities_count_for_labels_alone() -> None:
    sure = {"a": 1.0, "b": 0.0}
    found = figures([seen("a", "b"), seen("a", "a", probabilities=sure), seen("b", "b")]).whole.metrics
    assert (found["accuracy"].rows, found["brier"].rows) == (3, 1)
    assert (found["accuracy"].value, found["brier"].value) == (2 / 3, 0.0)


def test_an_error_of_a_regression_is_prediction_minus_truth() -> None:
    found = values([seen(3.0, 1), seen(2, "2.5"), seen(1.5, 0.5)])
    assert found["bias"] == pytest.approx((2 - 0.5 + 1) / 3)
    assert found["mae"] == pytest.approx((2 + 0.5 + 1) / 3)
    assert found["rmse"] == pytest.approx(math.sqrt((4 + 0.25 + 1) / 3))
    assert found["r2"] == pytest.approx(metrics.r2_score([1, 2.5, 0.5], [3, 2, 1.5]))


def test_what_is_no_number_is_counted_and_left_out_of_a_regression() -> None:
    read = rows.read([seen(1.0, "dear"), seen(1.0, 2), seen(1.0)], lambda _: 0, lambda _: None)
    assert read.versions["v1"].unreadable == 1
    assert values([seen(1.0, "dear"), seen(1.0, 2)])["mae"] == 1.0


def test_a_constant_truth_has_no_r_squared() -> None:
    assert values([seen(1.0, 2), seen(2.0, 2)]).keys() == {"mae", "rmse", "bias"}


def test_whole_numbers_are_classes_of_what_is_a_classifier() -> None:
    assert "accuracy" in values([seen(1, 1)], BINARY)
    assert "accuracy" in values([seen(-1, 1)], {"task": "outlier"})
    assert "mae" in values([seen(1, 1)])
    assert "accuracy" in values([seen(1, 1, probabilities={"0": 0.2, "1": 0.8})])


def test_rewards_are_averaged_with_or_without_labels() -> None:
    found = figures(
        [seen("a", reward=1.0), seen("a", "a", reward=0.0), seen("b"), seen("b", reward=0.5)]
    ).whole
    assert (found.rewards, found.labels) == (3, 1)
    assert found.metrics["reward"].value == 0.5


def test_bins_of_confidence_say_how_often_predictions_were_right() -> None:
    observed = [
        seen("a", "a" if row < 7 else "b", probabilities={"a": 0.85, "b": 0.15}) for row in range(10)
    ] + [seen("b", "b", probabilities={"a": 0.4, "b": 0.6}) for _ in range(10)]
    found = figures(observed)
    shown = [(each.start, each.end, each.rows, each.confidence, each.accuracy) for each in found.reliability]
    assert shown == [
        (0.6, 0.7, 10, pytest.approx(0.6), 1.0),
        (0.8, 0.9, 10, pytest.approx(0.85), 0.7),
    ]
    error = found.whole.metrics["calibration_error"]
    assert error.value == pytest.approx((0.4 + 0.15) / 2)
    assert error.lower is not None
    assert error.upper is not None
    assert 0 <= error.lower < error.value < error.upper <= 1


def test_more_rows_than_one_response_reads_are_the_newest() -> None:
    observed = [seen(1.0, 1.0, at=AT - timedelta(minutes=minute)) for minute in range(100)]
    read = rows.read(observed, lambda _: 0, lambda _: None, most_numbers=40)
    assert len(read.versions["v1"].buckets) == 10
    assert read.since == AT - timedelta(minutes=9)
    assert rows.read(observed, lambda _: 0, lambda _: None, most_numbers=400).since is None


def test_the_control_api_starts_without_what_quality_computes_with() -> None:
    code = (
        "import sys, modelport_control_api.process.app\n"
        "print(*{'numpy', 'scipy', 'sklearn', 'pandas'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
