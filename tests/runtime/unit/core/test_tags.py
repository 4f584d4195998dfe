"""What an estimator declares, in today's words or in those of before scikit-learn 1.6."""

from typing import Any

import pytest
import sklearn.utils
from lightgbm import LGBMRegressor
from modelport_runtime.core.describing.tags import InputTags, input_tags, kind_of


class Both(LGBMRegressor):
    """As LightGBM's own are beside an older scikit-learn, whose base classes bring these."""

    _estimator_type = "regressor"

    def _get_tags(self) -> dict[str, Any]:
        return {"allow_nan": True, "X_types": ["2darray", "sparse"]}


@pytest.mark.parametrize("is_older", [False, True])
def test_a_booster_declares_the_same_beside_any_scikit_learn(
    monkeypatch: pytest.MonkeyPatch, is_older: bool
) -> None:
    if is_older:
        monkeypatch.delattr(sklearn.utils, "get_tags")
    assert kind_of(Both()) == "regressor"
    assert input_tags(Both()) == InputTags(allow_nan=True, string=False, two_d_array=True, mapping=False)
