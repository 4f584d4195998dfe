"""Fits the models that are measured.

Apart from `trained`, so that the measuring process has no scikit-learn: pages that it shared with a server
would make that server's proportional memory smaller.
"""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from bench.models.model import IRIS_COLUMNS, Model, Row

_WORDS = ("low", "middle", "high")
_SEED = 7


def fit_all(folder: Path) -> dict[str, Model]:
    """Fit all, save them into `folder`."""
    return {make.__name__.strip("_"): make(folder) for make in (_iris, _forest, _boosting, _mixed)}


def unnamed(model: Model) -> Path:
    """The same model fitted on bare arrays, for servers that know no names; they are then a little faster."""
    if model.columns is None:
        return model.path
    path = model.path.with_name(f"{model.name}-array.joblib")
    estimator = joblib.load(model.path)
    features, labels = load_iris(return_X_y=True)
    joblib.dump(estimator.fit(features, labels), path)
    return path


def _save(folder: Path, name: str, estimator: Any, columns: Any, data: list[Row]) -> Model:
    path = folder / f"{name}.joblib"
    joblib.dump(estimator, path)
    return Model(name, path, columns, data)


def _iris(folder: Path) -> Model:
    features, labels = load_iris(return_X_y=True)
    frame = pandas.DataFrame(features, columns=list(IRIS_COLUMNS))
    fitted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(frame, labels)
    return _save(folder, "iris", fitted, IRIS_COLUMNS, features.tolist())


def _forest(folder: Path) -> Model:
    features, labels = load_breast_cancer(return_X_y=True)
    fitted = RandomForestClassifier(100, random_state=0).fit(features, labels)
    return _save(folder, "forest", fitted, None, features.tolist())


def _boosting(folder: Path) -> Model:
    features, labels = load_breast_cancer(return_X_y=True)
    fitted = HistGradientBoostingClassifier(random_state=0).fit(features, labels)
    return _save(folder, "boosting", fitted, None, features.tolist())


def _mixed(folder: Path) -> Model:
    frame, labels = _mixed_table()
    text = ["color", "ash_class", "shade"]
    numbers = [name for name in frame.columns if name not in text]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (
            make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
            text,
        ),
    )
    fitted = make_pipeline(columns, LogisticRegression(max_iter=500)).fit(frame, labels)
    data = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return _save(folder, "mixed", fitted, tuple(frame.columns), data)


def _mixed_table() -> tuple[pandas.DataFrame, Any]:
    """Wine with three of its columns as words, and every twentieth value missing."""
    wine = load_wine(as_frame=True)
    frame = wine.data.rename(columns=lambda name: name.replace("/", "_"))
    for source, name in (("color_intensity", "color"), ("ash", "ash_class"), ("hue", "shade")):
        frame[name] = pandas.qcut(frame.pop(source), len(_WORDS), labels=list(_WORDS)).astype(object)
    missing = np.random.default_rng(_SEED).random(frame.shape) < 0.05
    missing[:, 0] = False
    return frame.mask(missing), wine.target
