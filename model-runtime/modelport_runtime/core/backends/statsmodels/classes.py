"""The classes whose probabilities a model gives, as they were in the training data."""

from typing import Any

import numpy as np

from modelport_runtime.core.responses import plain


def classes_of(model: Any) -> tuple[Any, ...] | None:
    """Return the classes in the order of the probabilities; None: its predictions are numbers."""
    kinds = {kind.__name__ for kind in type(model).__mro__ if kind.__module__.startswith("statsmodels.")}
    if "OrderedModel" in kinds:
        return tuple(plain(label) for label in model.labels)
    return _of_multinomial(model) if "MultinomialModel" in kinds else None


def _of_multinomial(model: Any) -> tuple[Any, ...]:
    """Their names are texts; what they are the names of stands in the training data, if that is kept."""
    names = [str(model._ynames_map[place]) for place in range(len(model._ynames_map))]
    given = model.data.orig_endog
    column = np.empty(0) if given is None else np.asarray(given)
    values = column.reshape(-1).tolist() if column.ndim == 1 or column.shape[1:] == (1,) else []
    by_name = {str(value): value for value in values}
    return tuple(by_name.get(name, name) for name in names)
