"""What of statsmodels has no prediction for a row, in words with a cure. Nothing here needs statsmodels."""

from typing import Any

from modelport_formats.frameworks.statsmodels import SERIES, is_of_series

from modelport_runtime.core.types import LoadError

_OF_CLUSTERS = {"NominalGEE", "OrdinalGEE"}


def check(results: Any, *, is_results: bool, is_model: bool) -> None:
    """Raise `LoadError` unless `results` are those of a model that predicts row by row.

    is_results, is_model: it is one of statsmodels' results, or one of its models before `fit`.
    """
    kind = type(results).__qualname__
    model = getattr(results, "model", results)
    if any(is_of_series(each.__module__) for one in (results, model) for each in type(one).__mro__):
        raise _refused(SERIES)
    if is_model:
        raise LoadError("NotAModel", f"The file holds a {kind} that is not fitted: save what fit() returns.")
    if not (is_results and hasattr(results, "predict") and hasattr(model, "exog_names")):
        raise _refused(f"The file holds a {kind}, which has no prediction for a row of columns.")
    _check_columns(type(model).__name__, model)


def _check_columns(kind: str, model: Any) -> None:
    if getattr(model, "exog_smooth", getattr(model, "smoother", None)) is not None:
        raise _refused(
            f"A {kind} takes the columns of its smoother apart from the others, and a row has one set. "
            "Fit it as glm with a formula, whose splines are bs(column, df=…)."
        )
    if not getattr(model, "_no_exog_infl", True):
        raise _refused(
            "A row has one set of columns, and the model takes another for its zeros (exog_infl). "
            "Fit it without them."
        )
    if kind == "PHReg" and hasattr(model, "formula"):
        # Its fit drops the formula's constant, and its predict does not.
        raise _refused(
            "A PHReg with a formula raises on the rows that its own predict is given. Fit it on the columns "
            "themselves: PHReg(times, columns)."
        )
    if kind in _OF_CLUSTERS:
        raise _refused(
            f"A {kind} predicts a category of whole clusters of rows. Fit an OrderedModel or MNLogit."
        )


def of_a_formula(error: BaseException) -> LoadError:
    """Return the error for a formula that is not read as it was at training."""
    reason = next(iter(str(error).strip().splitlines()), type(error).__name__).strip().rstrip(".")
    return LoadError(
        "LoadFailed",
        f"The model's formula cannot be evaluated: {reason}. It is evaluated again wherever the "
        "file is read, and finds its columns, NumPy as np, pandas as pd and its own functions (C, bs, …) "
        "there. Compute what else it needs before fit, as a column of its own.",
    )


OTHERWISE = (
    "The model's formula gives other numbers here than it gave when the model was fitted, so its predictions "
    "would be wrong. Compute what it computes before fit, as columns of their own, and save the model again."
)


def _refused(what: str) -> LoadError:
    return LoadError("UnsupportedFormat", what)
