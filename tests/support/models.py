"""Real models, trained in milliseconds on the data that ships with scikit-learn, and ways to save them."""

import pickle
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVC

IRIS_FIELDS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


@dataclass(frozen=True)
class Trained:
    """A fitted model and rows of the very data it was fitted on (an array, a DataFrame or texts)."""

    model: Any
    data: Any

    @property
    def rows(self) -> list[Any]:
        """The data as JSON rows: objects of a DataFrame, lists of an array, strings of texts."""
        if isinstance(self.data, pd.DataFrame):
            return [_json_row(row) for row in self.data.to_dict("records")]
        return self.data.tolist() if isinstance(self.data, np.ndarray) else list(self.data)


def _json_row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if pd.isna(value) else value for name, value in row.items()}


@cache
def iris() -> tuple[np.ndarray, np.ndarray]:
    """150 × 4 numbers and the species' names."""
    data = datasets.load_iris()
    return data.data, data.target_names[data.target]


def iris_frame() -> pd.DataFrame:
    return pd.DataFrame(iris()[0], columns=IRIS_FIELDS)


def mixed_frame() -> pd.DataFrame:
    """Iris with a string, a boolean and an integer column beside its numbers, and holes in some."""
    frame = iris_frame()
    frame["shape"] = pd.Series(np.where(frame.petal_length > 4.8, "long", "short"), dtype=object)
    frame["wide"] = frame.sepal_width > 3.0
    frame["ring"] = frame.petal_width.round().astype(int)
    frame.loc[::7, "sepal_length"] = np.nan
    frame.loc[::11, "shape"] = np.nan
    return frame


def iris_logistic() -> Trained:
    """A pipeline on an array: it knows no names."""
    data, species = iris()
    return Trained(make_pipeline(StandardScaler(), LogisticRegression()).fit(data, species), data)


def iris_logistic_named() -> Trained:
    frame = iris_frame()
    return Trained(make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, iris()[1]), frame)


def iris_logistic_float32() -> Trained:
    data = iris()[0].astype(np.float32)
    return Trained(LogisticRegression().fit(data, iris()[1]), data)


def iris_boosting_with_gaps() -> Trained:
    """It was trained on missing values, and takes them."""
    data, target = iris()
    data = data.copy()
    data[::5, 3] = np.nan
    return Trained(HistGradientBoostingClassifier(max_iter=5).fit(data, target), data)


def iris_forest() -> Trained:
    data, species = iris()
    return Trained(RandomForestClassifier(5, random_state=0).fit(data, species), data)


def digits_linear_svc() -> Trained:
    """A classifier without probabilities."""
    data, digits = datasets.load_digits(return_X_y=True)
    return Trained(LinearSVC(max_iter=50, tol=0.1, random_state=0).fit(data[:300], digits[:300]), data[:300])


def cancer_sgd_hinge() -> Trained:
    data, benign = datasets.load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), SGDClassifier(loss="hinge", random_state=0))
    return Trained(model.fit(data, benign.astype(bool)), data)


def wine_float_labels() -> Trained:
    data, cultivar = datasets.load_wine(return_X_y=True)
    labels = cultivar.astype(np.float64)
    return Trained(make_pipeline(StandardScaler(), LogisticRegression()).fit(data, labels), data)


def wine_int_labels() -> Trained:
    data, cultivar = datasets.load_wine(return_X_y=True)
    return Trained(RandomForestClassifier(5, random_state=0).fit(data, cultivar * 10), data)


def cancer_bool_labels() -> Trained:
    data, benign = datasets.load_breast_cancer(return_X_y=True)
    return Trained(RandomForestClassifier(5, random_state=0).fit(data, benign.astype(bool)), data)


def iris_kmeans() -> Trained:
    return Trained(KMeans(3, n_init=1, random_state=0).fit(iris()[0]), iris()[0])


def iris_pca() -> Trained:
    return Trained(PCA(2).fit(iris()[0]), iris()[0])


def iris_scaler() -> Trained:
    return Trained(StandardScaler().fit(iris()[0]), iris()[0])


def iris_outliers() -> Trained:
    return Trained(IsolationForest(n_estimators=5, random_state=0).fit(iris()[0]), iris()[0])


def diabetes_linear() -> Trained:
    data, progress = datasets.load_diabetes(return_X_y=True)
    return Trained(LinearRegression().fit(data, progress), data)


def diabetes_multi_output() -> Trained:
    data, progress = datasets.load_diabetes(return_X_y=True)
    targets = np.column_stack([progress, -progress])
    return Trained(RandomForestRegressor(5, max_depth=4, random_state=0).fit(data, targets), data)


def iris_multi_output() -> Trained:
    """Two answers a row: the species, and whether the flower is a small one."""
    data, species = iris()
    targets = np.column_stack([species, np.where(data[:, 0] < 5.5, "small", "large")])
    return Trained(RandomForestClassifier(5, random_state=0).fit(data, targets), data)


def mixed_pipeline(unknown: str = "error") -> Trained:
    """Numbers, strings, booleans and integers, with holes; `unknown` is OneHotEncoder's handle_unknown."""
    frame = mixed_frame()
    text = Pipeline(
        [("fill", SimpleImputer(strategy="most_frequent")), ("hot", OneHotEncoder(handle_unknown=unknown))]
    )
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), IRIS_FIELDS),
            ("text", text, ["shape"]),
            ("ring", OneHotEncoder(handle_unknown=unknown), ["ring"]),
            ("rest", "passthrough", ["wide"]),
        ]
    )
    return Trained(make_pipeline(columns, LogisticRegression(max_iter=500)).fit(frame, iris()[1]), frame)


def mixed_gradient_boosting() -> Trained:
    frame = mixed_frame().drop(columns="petal_length")
    target = mixed_frame()["petal_length"]
    model = HistGradientBoostingRegressor(categorical_features=["shape"], max_iter=5, random_state=0)
    return Trained(model.fit(frame, target), frame)


def ordinal_forest() -> Trained:
    frame = mixed_frame()[["shape", "ring"]].fillna("none")
    return Trained(
        make_pipeline(OrdinalEncoder(), RandomForestClassifier(5, random_state=0)).fit(frame, iris()[1]),
        frame,
    )


def text_classifier() -> Trained:
    """The sentences that describe scikit-learn's own data sets, distinguished by which set they describe."""
    described = {"iris": datasets.load_iris().DESCR, "wine": datasets.load_wine().DESCR}
    pairs = [
        (line.strip(), name) for name, text in described.items() for line in text.splitlines() if line.strip()
    ]
    texts, names = [text for text, _ in pairs], [name for _, name in pairs]
    return Trained(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, names), texts)


def iris_grid_search() -> Trained:
    data, species = iris()
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()), {"logisticregression__C": [0.1, 1]}, cv=2
    )
    return Trained(search.fit(data, species), data)


def iris_xgboost() -> Trained:
    import xgboost

    data, species = iris()
    model = xgboost.XGBClassifier(n_estimators=5, n_jobs=1)
    return Trained(model.fit(data, LabelEncoder().fit_transform(species)), data)


def cancer_xgboost_named() -> Trained:
    import xgboost

    data, benign = datasets.load_breast_cancer(return_X_y=True, as_frame=True)
    return Trained(xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(data, benign), data)


def diabetes_xgboost() -> Trained:
    import xgboost

    data, progress = datasets.load_diabetes(return_X_y=True)
    return Trained(xgboost.XGBRegressor(n_estimators=5, n_jobs=1).fit(data, progress), data)


def iris_lightgbm() -> Trained:
    import lightgbm

    data, species = iris()
    return Trained(lightgbm.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1).fit(data, species), data)


def cancer_lightgbm() -> Trained:
    import lightgbm

    data, benign = datasets.load_breast_cancer(return_X_y=True)
    return Trained(lightgbm.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1).fit(data, benign), data)


def categorical_lightgbm() -> Trained:
    import lightgbm

    frame = mixed_frame()[["shape", "sepal_length"]].astype({"shape": "category"})
    model = lightgbm.LGBMRegressor(n_estimators=5, n_jobs=1, verbose=-1)
    return Trained(model.fit(frame, mixed_frame()["petal_width"]), frame)


def categorical_xgboost() -> Trained:
    import xgboost

    frame = mixed_frame()[["shape", "sepal_length", "ring"]].astype({"shape": "category", "ring": "category"})
    model = xgboost.XGBRegressor(n_estimators=5, n_jobs=1, enable_categorical=True)
    return Trained(model.fit(frame, mixed_frame()["petal_width"]), frame)


def save_joblib(model: Any, folder: Path, *, compress: Any = 0) -> Path:
    path = folder / "model"
    joblib.dump(model, path, compress=compress)
    return path


def save_pickle(model: Any, folder: Path, *, protocol: int = pickle.DEFAULT_PROTOCOL) -> Path:
    path = folder / "model"
    path.write_bytes(pickle.dumps(model, protocol))
    return path


def save_skops(model: Any, folder: Path) -> Path:
    import skops.io

    path = folder / "model"
    path.write_bytes(skops.io.dumps(model))
    return path


def save_onnx(trained: Trained, folder: Path, *, zipmap: bool = True) -> Path:
    """Convert to ONNX; a DataFrame's columns become one input each."""
    from skl2onnx import to_onnx

    model = trained.model
    final = model[-1] if isinstance(model, Pipeline) else model
    options = {id(final): {"zipmap": zipmap}} if hasattr(final, "predict_proba") else None
    example = (
        trained.data[:1] if isinstance(trained.data, pd.DataFrame) else trained.data[:1].astype(np.float32)
    )
    path = folder / "model"
    path.write_bytes(to_onnx(model, example, options=options).SerializeToString())
    return path


def save_xgboost(model: Any, folder: Path, *, kind: str = "json") -> Path:
    """Save natively as `json` or `ubj`, under a name that tells neither."""
    path = folder / "model"
    path.write_bytes(bytes(model.get_booster().save_raw(kind)))
    return path


def save_lightgbm(model: Any, folder: Path) -> Path:
    path = folder / "model"
    model.booster_.save_model(path)
    return path
