"""Selectors of older versions refuse what they refused, and keep the columns that they kept."""

from typing import Any

import numpy as np
import pytest
from modelport_runtime.core.compatibility import mend
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

ROWS = np.random.RandomState(0).normal(size=(40, 3))
CLASSES = (ROWS[:, 0] > 0).astype(int)
GAP = [[np.nan, 1.0, 2.0]]


def tree() -> Any:
    return DecisionTreeClassifier(max_depth=2, random_state=0)


def forest() -> Any:
    return RandomForestClassifier(2, max_depth=2, random_state=0)


def bagged() -> Any:
    return BaggingClassifier(tree(), 2, random_state=0)


def first_importances(bagging: Any) -> Any:
    return bagging.estimators_[0].feature_importances_


@pytest.mark.parametrize(
    ("selector", "refused_until"),
    [
        (SelectFromModel(tree()), "1.2.2"),
        (SelectFromModel(forest()), "1.3.2"),
        (RFE(forest()), "1.3.2"),
        (RFE(bagged(), importance_getter=first_importances), "1.2.2"),
    ],
    ids=["tree", "forest", "elimination", "bagging"],
)
def test_missing_values_are_refused_as_the_version_did_that_saved_it(
    selector: Any, refused_until: str
) -> None:
    selector.fit(ROWS, CLASSES)
    assert mend(selector, {"scikit-learn": "1.4.2"}).transform(GAP) is not None

    mend(selector, {"scikit-learn": refused_until})

    assert selector.transform(ROWS).shape[0] == len(ROWS)
    with pytest.raises(ValueError, match="NaN"):
        selector.transform(GAP)


@pytest.mark.parametrize(
    ("penalty", "ratio", "threshold"), [("l1", None, 1e-5), ("elasticnet", 1.0, "mean"), ("l2", None, "mean")]
)
def test_the_default_threshold_is_that_of_then(penalty: str, ratio: float | None, threshold: Any) -> None:
    selector = SelectFromModel(LogisticRegression()).fit(ROWS, CLASSES)
    vars(selector.estimator_).update(penalty=penalty, l1_ratio=ratio)

    mend(selector, {"scikit-learn": "1.3.2"})

    assert selector.threshold == threshold
    assert selector.transform(ROWS).shape[1] >= 1
