"""What cannot be mended is refused, and only that."""

from typing import Any

import numpy as np
import pytest
from modelport_runtime.core.compatibility import mend
from modelport_runtime.core.compatibility.stand_ins import standing_in
from modelport_runtime.core.types import LoadError
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import KNNImputer
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

ROWS = np.arange(24.0).reshape(12, 2) % 7
GAPS = np.where(ROWS == 3, np.nan, ROWS)
CLASSES = np.arange(12) % 2


def imputing(rows: Any) -> Any:
    imputer = KNNImputer(n_neighbors=2, add_indicator=True)
    return make_pipeline(imputer, DecisionTreeClassifier()).fit(rows, CLASSES)


def boosting(categories: list[int] | None) -> Any:
    return HistGradientBoostingClassifier(max_iter=2, categorical_features=categories).fit(ROWS, CLASSES)


@pytest.mark.parametrize(
    ("model", "version"),
    [(imputing(GAPS), "1.1.3"), (imputing(GAPS), "1.2.2"), (boosting([1]), "1.1.3")],
    ids=["imputer 1.1", "imputer 1.2", "categories 1.1"],
)
def test_what_cannot_be_mended_is_a_mismatch_that_names_both_versions(model: Any, version: str) -> None:
    with pytest.raises(LoadError) as refused:
        mend(model, {"scikit-learn": version})

    assert refused.value.reason == "LibraryMismatch"
    assert version in refused.value.message
    assert "is here" in refused.value.message


@pytest.mark.parametrize(
    ("model", "version"),
    [
        (imputing(GAPS), "1.3.2"),
        (imputing(ROWS), "1.2.2"),
        (boosting([1]), "1.2.2"),
        (boosting(None), "1.1.3"),
    ],
    ids=["imputer 1.3", "no indicators", "categories 1.2", "no categories"],
)
def test_what_predicts_as_then_is_served(model: Any, version: str) -> None:
    assert mend(model, {"scikit-learn": version}) is model


def test_a_module_that_reading_the_file_misses_is_raised_unchanged() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"), standing_in():
        raise ModuleNotFoundError("No module named 'no_such_module'", name="no_such_module")
