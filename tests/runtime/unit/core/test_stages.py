"""Work that is left out, a DataFrame for one, changes no prediction; where it might, it is done."""

import copy
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from modelport_runtime.core.backends.estimators import stages
from modelport_runtime.core.backends.sklearn import EstimatorBackend
from modelport_runtime.core.frames import as_frame
from modelport_runtime.core.signature import Column
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.utils import all_estimators

from tests.support import models

ESTIMATORS = {name: kind for name, kind in all_estimators() if name in stages._ONLY_COMPARE_NAMES}

BOTH = ("prediction", "probabilities")


def halves() -> tuple[pd.DataFrame, np.ndarray]:
    frame = models.iris_frame()
    return frame, (models.iris()[1] == "virginica").astype(int)


def results_of(model: Any, frame: pd.DataFrame) -> Any:
    method = "predict" if hasattr(model, "predict") else "transform"
    result = getattr(model, method)(frame)
    return np.asarray(result.toarray() if hasattr(result, "toarray") else result).tolist()


def framed(frame: pd.DataFrame) -> pd.DataFrame:
    """Lay it out as the runtime's own frames are: the memory's layout decides a product's last bit."""
    assemble = as_frame([Column(name) for name in frame.columns])
    result: pd.DataFrame = assemble(frame.to_numpy().tolist())
    return result


def assembled(model: Any, frame: pd.DataFrame) -> tuple[EstimatorBackend, Any]:
    backend = EstimatorBackend(model, {})
    return backend, backend.assembler(backend.signature)(frame.to_numpy().tolist())


def test_every_listed_estimator_is_one() -> None:
    assert ESTIMATORS.keys() == stages._ONLY_COMPARE_NAMES
    assert {kind.__module__.partition(".")[0] for kind in ESTIMATORS.values()} == {"sklearn"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_an_array_gets_the_predictions_of_the_data_frame(name: str) -> None:
    frame, target = halves()
    few = {"max_iter": 20} if "max_iter" in ESTIMATORS[name]().get_params() else {}
    few |= {"n_quantiles": 20} if name == "QuantileTransformer" else {}
    few |= {"k": 2} if name == "SelectKBest" else {}
    model = ESTIMATORS[name](**few).fit(frame, target + 1.0 if name == "GammaRegressor" else target)
    unseen = framed(frame * 1.01 + 0.013)
    wanted = results_of(model, unseen)
    likely = model.predict_proba(unseen).tolist() if hasattr(model, "predict_proba") else None
    backend, inputs = assembled(model, unseen)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(inputs, np.ndarray)
        assert backend.predict(inputs, ("prediction",)).values["prediction"] == wanted
        if likely is not None:
            assert likely == [
                list(row.values()) for row in backend.predict(inputs, BOTH).values["probabilities"]
            ]


class Loud(StandardScaler):
    """A subclass may look at names as it likes."""


def scaled(scaler: Any) -> Pipeline:
    return make_pipeline(scaler, LogisticRegression())


COMPOSED = {
    "pipeline": lambda: scaled(StandardScaler()),
    "with a gap": lambda: Pipeline([("no", "passthrough"), ("no2", None), ("yes", LogisticRegression())]),
    "nested": lambda: make_pipeline(SimpleImputer(), scaled(MinMaxScaler())),
    "search": lambda: GridSearchCV(scaled(PolynomialFeatures(2)), {"logisticregression__C": [0.1, 1]}, cv=2),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", COMPOSED)
def test_compositions_of_them_take_arrays_too(name: str) -> None:
    frame, target = halves()
    model = COMPOSED[name]().fit(frame, target)
    frame = framed(frame)
    wanted, likely = model.predict(frame).tolist(), model.predict_proba(frame).tolist()
    backend, inputs = assembled(model, frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(inputs, np.ndarray)
        predictions, probabilities = backend.predict(inputs, BOTH).values.values()
    assert predictions == backend.predict(inputs, ("prediction",)).values["prediction"] == wanted
    assert [list(row.values()) for row in probabilities] == likely


def with_own_method() -> Any:
    model = scaled(StandardScaler())
    # fit_transform asks it too.
    model[0].transform = lambda frame: frame[models.IRIS_FIELDS].to_numpy()
    return model


KEEPS_ITS_FRAME = {
    "subclass": lambda: scaled(Loud()),
    "method of its own": with_own_method,
    "set_output": lambda: scaled(StandardScaler()).set_output(transform="pandas"),
    "function": lambda: scaled(FunctionTransformer(lambda frame: frame[models.IRIS_FIELDS])),
    "columns by name": lambda: scaled(ColumnTransformer([("a", StandardScaler(), ["petal_width"])])),
    "calibrated": lambda: CalibratedClassifierCV(LogisticRegression(), cv=2),
    "categories": lambda: HistGradientBoostingClassifier(categorical_features=["petal_width"], max_iter=3),
    "nested transformers": lambda: scaled(make_pipeline(FunctionTransformer(lambda frame: frame))),
}


@pytest.mark.filterwarnings(
    "ignore:.*did not converge:UserWarning", "ignore::sklearn.exceptions.ConvergenceWarning"
)
@pytest.mark.parametrize("name", KEEPS_ITS_FRAME)
def test_what_may_use_names_is_given_them(name: str) -> None:
    frame, target = halves()
    frame["petal_width"] = frame["petal_width"].round()
    model = KEEPS_ITS_FRAME[name]()
    model.fit(frame, target)
    wanted = model.predict(frame).tolist()
    backend, inputs = assembled(model, frame)
    assert isinstance(inputs, pd.DataFrame)
    assert hasattr(model, "feature_names_in_")
    assert backend.predict(inputs, ("prediction",)).values["prediction"] == wanted


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_a_forest_is_called_once_for_both(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data, species = models.iris()
    model = kind(7, random_state=0).fit(data, species)
    wanted = model.predict(data).tolist(), model.predict_proba(data).tolist()
    called = []
    original = kind.predict_proba
    monkeypatch.setattr(
        kind, "predict_proba", lambda self, inputs: called.append(1) or original(self, inputs)
    )
    predictions, probabilities = EstimatorBackend(model, {}).predict(data, BOTH).values.values()
    assert (predictions, [list(row.values()) for row in probabilities]) == wanted
    assert len(called) == 1


def test_equal_probabilities_give_the_first_class_as_the_forest_does() -> None:
    model = RandomForestClassifier(2, bootstrap=False, max_features=1, random_state=3)
    model.fit([[0], [0]], ["b", "a"])
    predictions, probabilities = (
        EstimatorBackend(copy.deepcopy(model), {}).predict(np.zeros((1, 1)), BOTH).values.values()
    )
    assert predictions == model.predict([[0]]).tolist() == ["a"]
    assert probabilities == [{"a": 0.5, "b": 0.5}]


def test_a_pipelines_transformers_run_once_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = models.mixed_pipeline()
    wanted = trained.model.predict(trained.data).tolist(), trained.model.predict_proba(trained.data).tolist()
    called = []
    original = ColumnTransformer.transform
    monkeypatch.setattr(ColumnTransformer, "transform", lambda *given: called.append(1) or original(*given))
    predictions, probabilities = (
        EstimatorBackend(trained.model, {}).predict(trained.data, BOTH).values.values()
    )
    assert (predictions, [list(row.values()) for row in probabilities]) == wanted
    assert len(called) == 1
