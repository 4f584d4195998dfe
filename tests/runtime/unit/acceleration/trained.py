"""Every estimator that has kernels, fitted on the data that comes with scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import LinearSVC, LinearSVR
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from tests.support import models

Make = Callable[[], Any]


def _iris(model: Any) -> Make:
    return lambda: model.fit(*models.iris())


def _cancer(model: Any) -> Make:
    return lambda: model.fit(*datasets.load_breast_cancer(return_X_y=True))


def _diabetes(model: Any) -> Make:
    return lambda: model.fit(*datasets.load_diabetes(return_X_y=True))


def _with_holes(model: Any) -> Make:
    """Iris, a tenth of its values missing."""

    def make() -> Any:
        data, species = models.iris()
        holes = np.random.default_rng(0).random(data.shape) < 0.1
        return model.fit(np.where(holes, np.nan, data), species)

    return make


def frame() -> pd.DataFrame:
    """Numbers, two columns of strings (one with holes) and one of integers: 300 × 5."""
    random = np.random.default_rng(1)
    size = 300
    return pd.DataFrame(
        {
            "age": random.normal(40, 12, size),
            "income": random.lognormal(10, 1, size),
            "city": random.choice(["Bern", "Oslo", "Rome", "Wien"], size, p=[0.5, 0.3, 0.17, 0.03]),
            "plan": random.choice(np.array(["free", "paid", np.nan], dtype=object), size),
            "rooms": random.integers(1, 6, size),
        }
    )


def _mixed(city: Any, final: Any, *, rest: Any = "drop") -> Make:
    """A ColumnTransformer by names before `final`; `city` encodes that column."""

    def make() -> Any:
        data = frame()
        columns = ColumnTransformer(
            [
                (
                    "numbers",
                    make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
                    ["age", "income"],
                ),
                ("city", city, ["city"]),
                ("plan", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), ["plan"]),
            ],
            remainder=rest,
        )
        answer = (data["age"] + 10 * (data["city"] == "Oslo") + data["rooms"]) > 42
        return make_pipeline(columns, final).fit(data, answer.map({True: "yes", False: "no"}))

    return make


def _by_position() -> Any:
    data, species = models.iris()
    columns = make_column_transformer(
        (make_pipeline(StandardScaler(), PCA(1)), [0, 2]), (MinMaxScaler(), [1]), remainder="passthrough"
    )
    return make_pipeline(StandardScaler(), columns, LogisticRegression()).fit(data, species)


def _boosting_with_categories() -> Any:
    data = frame()
    for name in ("city", "plan"):
        data[name] = data[name].astype("category")
    answer = data["age"] + 10 * (data["city"] == "Oslo") + 3 * (data["plan"] == "paid")
    model = HistGradientBoostingRegressor(categorical_features="from_dtype", max_iter=30)
    return model.fit(data, answer)


def _boosting_after_an_encoder() -> Any:
    """The booster encodes codes once more: those that it met while training."""
    data = frame()
    columns = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["city", "plan"]),
        (StandardScaler(), ["age"]),
    )
    booster = HistGradientBoostingClassifier(categorical_features=[0, 1], max_iter=15)
    return make_pipeline(columns, booster).fit(data, data["age"] + 10 * (data["city"] == "Oslo") > 45)


def _search() -> Any:
    pipeline = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
    return GridSearchCV(pipeline, {"model__C": [0.1, 1.0]}, cv=2).fit(*models.iris())


def _named_forest() -> Any:
    return RandomForestClassifier(10, random_state=0).fit(models.iris_frame(), models.iris()[1])


_scaled = StandardScaler
CASES: dict[str, Make] = {
    "logistic, three classes": _iris(make_pipeline(StandardScaler(), LogisticRegression())),
    "logistic, two classes": _cancer(make_pipeline(StandardScaler(), LogisticRegression())),
    "logistic, cross-validated": _iris(make_pipeline(_scaled(), LogisticRegressionCV(Cs=2, cv=2))),
    "min-max": _iris(make_pipeline(MinMaxScaler(clip=True), LogisticRegression())),
    "max-abs": _iris(make_pipeline(MaxAbsScaler(), LogisticRegression())),
    "robust": _iris(make_pipeline(RobustScaler(), LogisticRegression())),
    "two scalers": _iris(
        make_pipeline(RobustScaler(), StandardScaler(with_mean=False), LogisticRegression())
    ),
    "norm l1": _iris(make_pipeline(Normalizer("l1"), LogisticRegression())),
    "norm l2": _iris(make_pipeline(Normalizer(), LogisticRegression())),
    "norm max": _iris(make_pipeline(Normalizer("max"), LogisticRegression())),
    "components": _cancer(make_pipeline(StandardScaler(), PCA(5), LogisticRegression())),
    "components, whitened": _cancer(make_pipeline(_scaled(), PCA(5, whiten=True), LogisticRegression())),
    "imputed": _with_holes(make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())),
    "imputed, with indicator": _with_holes(
        make_pipeline(SimpleImputer(strategy="median", add_indicator=True), LogisticRegression(max_iter=500))
    ),
    "imputed by a constant": _with_holes(
        make_pipeline(
            StandardScaler(), SimpleImputer(strategy="constant", fill_value=-1.0), LogisticRegression()
        )
    ),
    "scaled beyond all numbers": _diabetes(
        make_pipeline(MinMaxScaler(), MinMaxScaler(clip=True), LinearRegression())
    ),
    "passed through": _iris(Pipeline([("nothing", "passthrough"), ("model", LogisticRegression())])),
    "ridge classifier": _iris(RidgeClassifier()),
    "ridge classifier, cross-validated": _cancer(RidgeClassifierCV()),
    "stochastic gradient": _iris(make_pipeline(_scaled(), SGDClassifier(loss="log_loss", random_state=0))),
    "stochastic gradient, hinge": _cancer(make_pipeline(_scaled(), SGDClassifier(random_state=0))),
    "perceptron": _iris(make_pipeline(StandardScaler(), Perceptron(random_state=0))),
    "linear SVC": _iris(make_pipeline(StandardScaler(), LinearSVC(random_state=0))),
    "linear": _diabetes(LinearRegression()),
    "ridge": _diabetes(make_pipeline(StandardScaler(), Ridge())),
    "ridge, cross-validated": _diabetes(RidgeCV()),
    "lasso": _diabetes(Lasso(alpha=0.1)),
    "lasso, cross-validated": _diabetes(LassoCV(cv=2)),
    "elastic net": _diabetes(ElasticNet(alpha=0.01)),
    "elastic net, cross-validated": _diabetes(ElasticNetCV(cv=2)),
    "stochastic gradient regressor": _diabetes(make_pipeline(_scaled(), SGDRegressor(random_state=0))),
    "linear SVR": _diabetes(make_pipeline(StandardScaler(), LinearSVR(random_state=0, max_iter=5000))),
    "tree": _cancer(DecisionTreeClassifier(random_state=0)),
    "tree, three classes": _iris(DecisionTreeClassifier(random_state=0)),
    "tree with holes": _with_holes(DecisionTreeClassifier(random_state=0)),
    "tree regressor": _diabetes(DecisionTreeRegressor(random_state=0)),
    "extra tree": _iris(ExtraTreeClassifier(random_state=0)),
    "extra tree regressor": _diabetes(ExtraTreeRegressor(random_state=0)),
    "forest": _cancer(RandomForestClassifier(30, random_state=0)),
    "forest, scaled": _iris(make_pipeline(StandardScaler(), RandomForestClassifier(10, random_state=0))),
    "forest with holes": _with_holes(RandomForestClassifier(10, random_state=0)),
    "forest of a DataFrame": _named_forest,
    "forest regressor": _diabetes(RandomForestRegressor(20, random_state=0)),
    "extra trees": _iris(ExtraTreesClassifier(10, random_state=0)),
    "extra trees regressor": _diabetes(ExtraTreesRegressor(10, random_state=0)),
    "boosting": _cancer(GradientBoostingClassifier(n_estimators=30, random_state=0)),
    "boosting, three classes": _iris(GradientBoostingClassifier(n_estimators=15, random_state=0)),
    "boosting from zero": _cancer(GradientBoostingClassifier(n_estimators=15, init="zero", random_state=0)),
    "boosting regressor": _diabetes(GradientBoostingRegressor(n_estimators=30, random_state=0)),
    "histograms": _cancer(HistGradientBoostingClassifier(max_iter=10)),
    "histograms, three classes": _iris(HistGradientBoostingClassifier(max_iter=15)),
    "histograms with holes": _with_holes(HistGradientBoostingClassifier(max_iter=15)),
    "histograms regressor": _diabetes(HistGradientBoostingRegressor(max_iter=30)),
    "histograms, Poisson": _diabetes(HistGradientBoostingRegressor(loss="poisson", max_iter=15)),
    "histograms of categories": _boosting_with_categories,
    "histograms after an encoder": _boosting_after_an_encoder,
    "mixed, strict": _mixed(OneHotEncoder(), LogisticRegression(max_iter=500)),
    "mixed, ignoring": _mixed(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=500)),
    "mixed, one dropped": _mixed(OneHotEncoder(drop="first"), LogisticRegression(max_iter=500)),
    "mixed, infrequent": _mixed(
        OneHotEncoder(min_frequency=0.1, handle_unknown="infrequent_if_exist"),
        LogisticRegression(max_iter=500),
    ),
    "mixed, ordinal": _mixed(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        RandomForestClassifier(10, random_state=0),
        rest="passthrough",
    ),
    "mixed, unknown as missing": _mixed(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan),
        HistGradientBoostingClassifier(max_iter=15),
    ),
    "mixed with the rest": _mixed(OneHotEncoder(), LogisticRegression(max_iter=500), rest="passthrough"),
    "columns by position, after a scaler": _by_position,
    "search": _search,
}
