"""The columns of fitted results: of their formula, or as `exog_names` has them.

A formula is no part of a pickle: it is evaluated again over the training data that the pickle keeps, by the
engine that is the default where it is read. So what it gives here is compared with what it gave at training.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.formula

from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.backends.statsmodels import refusals
from modelport_runtime.core.backends.statsmodels.formulas import column_of, levels_of, names_in
from modelport_runtime.core.responses import plain
from modelport_runtime.core.signature import Column
from modelport_runtime.core.types import LoadError

_ROUNDING = 1e-9
_OF_ENGINES = ("patsy", "formulaic")


def read(file: ModelFile, check: Callable[[Any], None]) -> Any:
    """Return what the file holds, its formula as at training. `check` raises for what cannot be served.

    Raises `LoadError`, or whatever the file's own code raises.
    """
    failure: LoadError | None = None
    for _ in _engines():
        try:
            held = file.unpickle()
        except Exception as error:
            if not _is_of_a_formula(error):
                raise
            failure = failure or refusals.of_a_formula(error)
            failure.__cause__ = error
            continue
        check(held)
        if _is_as_trained(held.model):
            return held
        failure = failure or LoadError("LoadFailed", refusals.OTHERWISE)
    raise failure or AssertionError


def _engines() -> Iterator[str]:
    """Have each of the engines that are here read formulas: a file does not name the one that it needs."""
    options = getattr(statsmodels.formula, "options", None)
    if options is None:
        # Before 0.15 there is the one.
        yield _OF_ENGINES[0]
        return
    for engine in _OF_ENGINES:
        options.formula_engine = engine
        yield engine


def _is_of_a_formula(error: Exception) -> bool:
    return isinstance(error, NameError) or type(error).__module__.partition(".")[0] in _OF_ENGINES


def _is_as_trained(model: Any) -> bool:
    if not hasattr(model, "formula"):
        return True
    design = _evaluated(_spec(model), model.data.frame)
    trained = model.data.orig_exog
    if trained is None or len(trained) != len(design):
        # Some rows had no weight or group, or none is kept.
        return list(design.columns)[-len(model.exog_names) :] == list(model.exog_names)
    if list(trained.columns) != [name for name in design.columns if name in trained.columns]:
        return False
    kept = design[list(trained.columns)]
    return bool(np.allclose(kept, trained, rtol=_ROUNDING, atol=_ROUNDING, equal_nan=True))


def _evaluated(spec: Any, frame: Any) -> Any:
    if hasattr(spec, "get_model_matrix"):
        return pd.DataFrame(spec.get_model_matrix(frame))
    from patsy import dmatrix

    return dmatrix(spec, frame, return_type="dataframe")


def _spec(model: Any) -> Any:
    """Return how the engine builds the model's matrix; 0.15 has another name for it."""
    held = (
        getattr(place, name, None) for place in (model, model.data) for name in ("model_spec", "design_info")
    )
    return next(spec for spec in held if spec is not None)


def columns_of(model: Any) -> tuple[Column, ...]:
    """Return the columns that a formula takes, as they were in the training data. Raises `LoadError`."""
    frame = pd.DataFrame(model.data.frame)
    spec = _spec(model)
    levels = levels_of(_factors(spec), list(frame.columns))
    found = _variables(spec, frame)
    if not found:
        raise LoadError("UnsupportedFormat", "The model's formula takes no column: there is nothing to send.")
    return tuple(column_of(name, frame[name], levels.get(name)) for name in found)


def _variables(spec: Any, frame: Any) -> list[str]:
    """In the order of the training data, which `predict` takes by name."""
    if hasattr(spec, "required_variables"):
        found = {str(each) for each in spec.required_variables}
    else:
        found = {name for factor in spec.factor_infos for name in names_in(factor.code, list(frame.columns))}
    return [name for name in frame.columns if name in found]


def _factors(spec: Any) -> Mapping[str, Any]:
    if hasattr(spec, "encoder_state"):
        return {code: state.get("categories") for code, (_, state) in spec.encoder_state.items()}
    return {factor.code: info.categories for factor, info in spec.factor_infos.items()}


def example_of(model: Any) -> dict[str, Any]:
    """Return a row in the middle of the training data: splines and logarithms are not for any number."""
    frame = pd.DataFrame(model.data.frame)
    return {name: _middle(frame[name]) for name in _variables(_spec(model), frame)}


def _middle(values: Any) -> Any:
    known = values.dropna()
    if values.dtype.kind in "f":
        return float(known.median())
    # Of whole numbers, too, there may be no other than those that were there.
    return plain(known.sort_values().iloc[len(known) // 2] if values.dtype.kind in "iuM" else known.iloc[0])


def names_of(results: Any) -> tuple[list[str], bool]:
    """Return the names of the columns of a model of arrays, and whether they are its own.

    Before or behind the columns stand other parameters. `remove_data` leaves no names, unless somebody had
    them shown before: then they are as statsmodels names those of an array.
    """
    model = results.model
    if model.exog_names is None:
        width = np.shape(results.params)[0] - getattr(model, "k_extra", 0)
        return _names_of_an_array(width, model.data.const_idx), False
    names = [str(name) for name in model.exog_names]
    width = len(names) - getattr(model, "k_extra", 0) if model.exog is None else np.shape(model.exog)[1]
    first = getattr(model, "k_inflate", 0)
    return names[first : first + width], True


def _names_of_an_array(width: int, constant: int | None) -> list[str]:
    numbers = iter(range(1, width + 1))
    return ["const" if place == constant else f"x{next(numbers)}" for place in range(width)]
