"""What is expected before labels come, beside what is found out once they are there."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from modelport_control_api.ground_truth.reading import Observation
from modelport_control_api.quality import rows
from modelport_control_api.quality.figures import compute
from modelport_control_api.quality.figures.compute import Part
from modelport_control_api.quality.rows import Columns
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.control_api.unit.quality.observed import figures, seen
from tests.support.nightly import at_night


def worse_than_usual(**options: Any) -> Any:
    data, progression = load_diabetes(**options)
    return data, progression > np.median(progression)


SPLITS = at_night(24, 100)
WITHIN = 0.02
# Naive Bayes on two components: unsure and badly calibrated, so that there is something to estimate.
MODELS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "breast_cancer": (load_breast_cancer, lambda: make_pipeline(StandardScaler(), PCA(2), GaussianNB())),
    "diabetes": (worse_than_usual, lambda: make_pipeline(StandardScaler(), LogisticRegression())),
    "digits": (load_digits, lambda: make_pipeline(PCA(8, random_state=0), GaussianNB())),
}
Rows = np.ndarray[Any, Any]


def columns(observations: list[Observation]) -> Columns:
    return rows.read(observations, lambda _: 0, lambda _: None).versions["v1"]


def observed(model: Any, data: Rows, labels: list[Any]) -> list[Observation]:
    scores, classes = model.predict_proba(data), [str(each) for each in model.classes_]
    return [
        seen(classes[row.argmax()], label, probabilities=dict(zip(classes, row.tolist(), strict=True)))
        for row, label in zip(scores, labels, strict=True)
    ]


def shifted(random: np.random.Generator, data: Rows) -> Rows:
    """Rows drawn again and again, mostly of one end of the direction in which they differ most."""
    ends = PCA(1).fit_transform(StandardScaler().fit_transform(data))[:, 0]
    weights = np.exp(random.choice([-1, 1]) * (ends - ends.mean()) / ends.std())
    return random.choice(len(data), 2 * len(data), p=weights / weights.sum())


def halves(data: Rows, target: Rows, first: float, seed: int) -> list[Rows]:
    found: list[Rows] = train_test_split(data, target, train_size=first, random_state=seed, stratify=target)
    return found


def splits(name: str) -> Iterator[tuple[Part, Part]]:
    """Expected and realised, of shifted rows that neither model nor calibration has seen."""
    load, make = MODELS[name]
    data, target = load(return_X_y=True)
    for seed in range(SPLITS):
        random = np.random.default_rng(seed)
        train, rest, told, unseen = halves(data, target, 0.3, seed)
        reference, live, known, truth = halves(rest, unseen, 0.5, seed)
        model = make().fit(train, told)
        basis = columns(observed(model, reference, [str(each) for each in known]))
        drawn = shifted(random, live)
        waiting = columns(observed(model, live[drawn], [None] * len(drawn)))
        labelled = columns(observed(model, live[drawn], [str(each) for each in truth[drawn]]))
        yield compute.of_version(waiting, basis).whole, compute.of_version(labelled, basis).whole


@pytest.mark.parametrize("name", MODELS)
def test_expected_is_within_two_points_of_realised_under_covariate_shift(name: str) -> None:
    """Over the splits: of one, chance alone takes 200 rows further off."""
    found = list(splits(name))
    off = {
        metric: np.mean(
            [before.expected[metric].value - after.metrics[metric].value for before, after in found]
        )
        for metric in ("accuracy", "roc_auc", "brier")
    }
    assert abs(off["accuracy"]) <= WITHIN
    # Of few rows of one class, and of ten classes a sum from 0 to 2.
    assert abs(off["roc_auc"]) <= 1.5 * WITHIN
    assert abs(off["brier"]) <= (2 if name == "digits" else 1) * WITHIN


def sure(label: Any, right: bool = True) -> Observation:
    """It was predicted that it is a, by a version that says 0.8 and is right."""
    return seen("a", label and ("a" if right else "b"), probabilities={"a": 0.8, "b": 0.2})


CALIBRATED = columns([sure("x", right=row % 5 > 0) for row in range(500)])


def test_a_row_is_expected_to_be_right_as_often_as_its_probability_says() -> None:
    found = compute.of_version(columns([sure(None) for _ in range(50)]), CALIBRATED).whole
    assert found.metrics == {}
    assert found.expected["accuracy"].value == pytest.approx(0.8)
    assert found.expected["accuracy"].rows == 50
    assert found.expected["brier"].value == pytest.approx(0.8 * 0.2**2 + 0.2 * 0.8**2)
    assert found.expected["roc_auc"].value == pytest.approx(0.5)


def test_what_becomes_known_takes_the_place_of_what_was_expected() -> None:
    """The concept drifts, no row is right any more, and probabilities say nothing of it."""
    for known, accuracy in ((0, 0.8), (25, 0.4), (49, 0.016)):
        observed_rows = [sure("x", right=False)] * known + [sure(None)] * (50 - known)
        found = compute.of_version(columns(observed_rows), CALIBRATED).whole.expected["accuracy"]
        assert found.value == pytest.approx(accuracy)
        assert found.rows == 50 - known
    whole = compute.of_version(columns([sure("x", right=False)] * 50), CALIBRATED).whole
    assert whole.expected == {}
    assert whole.metrics["accuracy"].value == 0.0


def test_the_interval_of_what_is_expected_closes_as_labels_come() -> None:
    widths = []
    for known in (0, 40):
        some = columns([sure("x")] * known + [sure(None)] * (50 - known))
        found = compute.of_version(some, CALIBRATED).whole.expected["accuracy"]
        assert found.lower is not None
        assert found.upper is not None
        widths.append(found.upper - found.lower)
    assert widths[1] < widths[0] / 2


def test_too_few_labels_are_no_calibration() -> None:
    few = columns([sure("x")] * 99)
    found = compute.of_version(columns([sure(None)]), few)
    assert found.calibration is None
    assert found.whole.expected == {}


def test_a_calibration_of_other_classes_says_nothing() -> None:
    waiting = [seen("a", probabilities={"a": 0.8, "b": 0.1, "c": 0.1})]
    assert compute.of_version(columns(waiting), CALIBRATED).whole.expected == {}


def test_a_label_of_an_unknown_class_is_a_mistake_of_what_is_expected_too() -> None:
    rows_of_both = [seen("a", "c", probabilities={"a": 0.8, "b": 0.2}), sure(None)]
    found = compute.of_version(columns(rows_of_both), CALIBRATED).whole.expected
    assert found["accuracy"].value == pytest.approx(0.4)
    # As `brier` has it of the same row: a third column, halved as that of two classes.
    known = figures([rows_of_both[0]]).whole.metrics["brier"].value
    assert found["brier"].value == pytest.approx((known + 0.16) / 2)
