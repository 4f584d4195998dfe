"""Which column of the input each column of a matrix was computed from."""

from typing import Any

import numpy as np

from modelport_runtime.core.acceleration import plan

_Places = np.ndarray[Any, np.dtype[np.intp]]
MIXED = "{} makes each of its columns out of several: none of the input's has a part of its own."
"""A sentence about a stage."""


class Mixed(Exception):
    """A step computes a column from several. The message is a sentence for users."""


def input_columns(part: plan.Part) -> _Places:
    """Return for each column of the part's matrix the place of its input column. Raises `Mixed`."""
    source = part.source
    if isinstance(source, plan.Numbers):
        places = np.array(source.columns, np.intp)
    elif isinstance(source, plan.Lookups):
        columns = [lookup.column for lookup in source.lookups]
        places = np.repeat(columns, [lookup.table.shape[1] for lookup in source.lookups]).astype(np.intp)
    else:
        places = np.concatenate([input_columns(inner) for inner in source.parts])
    return _through(part.steps, places)


def _through(steps: list[plan.Step], places: _Places) -> _Places:
    for step in steps:
        if isinstance(step, plan.Project):
            raise Mixed(MIXED.format("A projection (PCA)"))
        if isinstance(step, plan.Normalize):
            raise Mixed(MIXED.format("A Normalizer"))
        if isinstance(step, plan.Impute):
            places = np.concatenate((places, places[step.indicated.unpack()]))
        elif isinstance(step, plan.Split):
            chosen = [(selection.columns.unpack(), selection.steps) for selection in step.selections]
            places = np.concatenate([_through(inner, places[columns]) for columns, inner in chosen])
    return places
