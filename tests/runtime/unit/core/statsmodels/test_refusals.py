"""What predicts no row of columns is refused with what to do instead."""

from types import SimpleNamespace
from typing import Any

import pytest
from modelport_runtime.core.backends.statsmodels import refusals
from modelport_runtime.core.types import LoadError


def of(kind: str, module: str = "statsmodels.genmod", **attributes: Any) -> Any:
    """Results whose model is of a class with this name and module."""
    model = type(kind, (), {"__module__": module, "exog_names": ["x"], **attributes})()
    return SimpleNamespace(model=model, predict=print)


@pytest.mark.parametrize(
    ("results", "reason", "cure"),
    [
        (of("ARIMA", "statsmodels.tsa.arima.model"), "UnsupportedFormat", "fit a regression"),
        (of("GLMGam", smoother=object()), "UnsupportedFormat", r"bs\(column, df=…\)"),
        (of("ZeroInflatedPoisson", _no_exog_infl=False), "UnsupportedFormat", "Fit it without them"),
        (of("OrdinalGEE"), "UnsupportedFormat", "Fit an OrderedModel"),
        (of("PHReg", formula="time ~ x"), "UnsupportedFormat", r"PHReg\(times, columns\)"),
        (SimpleNamespace(), "UnsupportedFormat", "which has no prediction for a row"),
    ],
    ids=lambda value: type(getattr(value, "model", None)).__name__,
)
def test_it_is_refused(results: Any, reason: str, cure: str) -> None:
    with pytest.raises(LoadError, match=cure) as raised:
        refusals.check(results, is_results=True, is_model=False)
    assert raised.value.reason == reason


def test_a_model_before_its_fit_is_no_model() -> None:
    with pytest.raises(LoadError, match=r"holds a OLS that is not fitted: save what fit\(\) returns"):
        refusals.check(of("OLS").model, is_results=False, is_model=True)


def test_a_regression_is_served() -> None:
    refusals.check(of("OLS"), is_results=True, is_model=False)
    refusals.check(of("ZeroInflatedPoisson", _no_exog_infl=True), is_results=True, is_model=False)


def test_of_a_formula_the_first_line_of_its_error_is_shown_and_what_it_may_use() -> None:
    error = refusals.of_a_formula(NameError("name 'f' is not defined\n    y ~ f(x)\n        ^^^^"))
    assert error.reason == "LoadFailed"
    assert error.message.startswith("The model's formula cannot be evaluated: name 'f' is not defined. It is")
