"""Files of statsmodels are recognized, and their release, without statsmodels: the platform has none."""

from pathlib import Path

import pytest
from modelport_control_api.sniff.detect import detect_framework
from modelport_control_api.sniff.errors import UnsupportedFormat
from modelport_environments.choice import environment_of
from modelport_formats.scan import scan

SAVED = Path(__file__).parents[3] / "fixtures" / "statsmodels"
FILES = sorted(path for path in SAVED.glob("*/*") if path.suffix in (".joblib", ".pickle"))
MODELS = [path for path in FILES if path.stem != "arima"]


@pytest.mark.parametrize("path", MODELS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_file_is_statsmodels_by_its_class_and_runs_where_its_release_does(path: Path) -> None:
    assert detect_framework(path) == detect_framework(path, "statsmodels") == "statsmodels"
    found = scan(path).versions
    # Linear models of arrays are read alike by both, and say nothing.
    of_both = path.stem in ("ols_array", "removed", "unfitted") or "formula" not in path.stem
    if path.parent.name == "old" and path.stem != "ols_array":
        assert found == {"statsmodels": "0.14 or older"}
        assert environment_of("statsmodels", found) == "statsmodels-0.14"
    else:
        assert found == {"statsmodels": "0.15 or later"} or (of_both and found == {})
        assert environment_of("statsmodels", found) == "statsmodels-0.15"


def test_formulas_and_generalized_linear_models_are_told_apart_by_release() -> None:
    assert len(MODELS) > 20
    for name in ("ols_formula", "glm_binomial"):
        releases = [
            scan(SAVED / folder / f"{name}.joblib").versions["statsmodels"] for folder in ("old", "new")
        ]
        assert releases == ["0.14 or older", "0.15 or later"]


def test_a_time_series_is_refused_at_the_upload_with_the_cure() -> None:
    with pytest.raises(UnsupportedFormat, match=r"forecasts steps .* fit a regression \(OLS, GLM, …\) whose"):
        detect_framework(SAVED / "new" / "arima.joblib")
