"""What the version here gets wrong itself, whichever version saved the model."""

from typing import Any

import numpy as np

from modelport_runtime.core.compatibility.overriding import mix_in


def mend(part: Any) -> None:
    kind = type(part)
    if kind.__module__.startswith("sklearn.decomposition.") and kind.__name__ in _SPARSE_COMPONENTS:
        mix_in(part, _NeverOneRow)
    if kind.__module__.startswith("sklearn.mixture.") and kind.__name__ in _MIXTURES:
        mix_in(part, _NeverIntegers)


_SPARSE_COMPONENTS = {"SparsePCA", "MiniBatchSparsePCA"}
_MIXTURES = {"GaussianMixture", "BayesianGaussianMixture"}


class _NeverOneRow:
    """scikit-learn 1.6 to 1.9 answer one row with a list that has lost its row."""

    def transform(self: Any, rows: Any) -> Any:
        if len(rows) != 1:
            return super().transform(rows)  # type: ignore[misc]  # of the estimator that this is mixed into
        twice = super().transform(np.repeat(np.asarray(rows), 2, axis=0))  # type: ignore[misc]  # as above
        return twice[:1]


class _NeverIntegers:
    """scikit-learn 1.7 to 1.9 cut densities to whole numbers when they are given integers."""

    def _estimate_weighted_log_prob(self: Any, rows: Any, **keywords: Any) -> Any:
        floats = rows.astype(np.float64) if rows.dtype.kind in "iu" else rows
        return super()._estimate_weighted_log_prob(floats, **keywords)  # type: ignore[misc]  # as above
