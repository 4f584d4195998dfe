"""What a pickle of statsmodels tells without being read: its release, and whether it is of a time series."""

from collections.abc import Iterable

from modelport_formats.errors import UnknownFormat

SERIES = (
    "A time series model (ARIMA, exponential smoothing, VAR, …) forecasts steps that follow its own series: "
    "there are no columns that a row could give. Forecast where it is fitted and store the result, or fit a "
    "regression (OLS, GLM, …) whose columns are what a step is known by, such as the values before it."
)
OLDER, NEWER = "0.14 or older", "0.15 or later"
# What their objects call what is left of a formula.
_OF_FORMULAS = {b"restore_design_info": OLDER, b"restore_model_spec": NEWER}
_OF_LINEAR_MODELS = b"_has_offset"
"""Generalized linear models have it since 0.15."""


def is_of_series(module: str) -> bool:
    """Return whether what the module has is of time series."""
    return module.startswith("statsmodels.tsa.")


def refuse_series(first_class: str | None) -> None:
    """Raise UnknownFormat if what a pickle holds is results of a time series."""
    if first_class is not None and is_of_series(first_class):
        raise UnknownFormat(SERIES)


class Marks:
    """Collects from a file's pieces what only one of the releases writes. 0.15 renamed what 0.14 looks for,
    and neither finds the other's."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def see(self, piece: bytes) -> None:
        self._seen |= {mark for mark in (*_OF_FORMULAS, _OF_LINEAR_MODELS) if mark in piece}

    def release(self, modules: Iterable[str]) -> str | None:
        """Return the release that wrote it; None: it is none of statsmodels' files, or either may have."""
        named = [module for module in modules if module.startswith("statsmodels.")]
        if not named:
            return None
        by_formula = next((of for mark, of in _OF_FORMULAS.items() if mark in self._seen), None)
        if by_formula is not None or not any(map(_is_of_linear_models, named)):
            return by_formula
        return NEWER if _OF_LINEAR_MODELS in self._seen else OLDER


def _is_of_linear_models(module: str) -> bool:
    return module.startswith(("statsmodels.genmod.", "statsmodels.gam."))
