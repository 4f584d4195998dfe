"""Real rows and a model of them; half of the rows for a reference, and half to send."""

from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

DATA = load_breast_cancer(as_frame=True)
SHIFTED = "mean texture"


def cancer_model() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(DATA.data, DATA.target)


def halves() -> tuple[Any, Any]:
    """Two frames: the reference, with the target, and rows like it."""
    order = np.random.default_rng(5).permutation(len(DATA.data))
    half = len(order) // 2
    return DATA.frame.iloc[order[:half]], DATA.data.iloc[order[half:]]


def shifted(rows: Any) -> list[dict[str, float]]:
    """The frame's rows with `SHIFTED` moved by its standard deviation."""
    moved: list[dict[str, float]] = rows.assign(**{SHIFTED: rows[SHIFTED] + rows[SHIFTED].std()}).to_dict(
        "records"
    )
    return moved
