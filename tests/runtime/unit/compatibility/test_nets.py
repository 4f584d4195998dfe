"""What no model may do, whichever version saved it, and how a name that moved is reported."""

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from modelport_runtime.core import backends
from modelport_runtime.core.backends.estimators import probabilities
from modelport_runtime.core.backends.sklearn import EstimatorBackend
from modelport_runtime.core.compatibility import mend
from modelport_runtime.core.compatibility.versions import other_scikit_learn
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.signature import Column
from modelport_runtime.core.types import Call, Failure, LoadError, Prediction, without_paths
from modelport_runtime.inspection.libraries import Inspected
from modelport_runtime.worker.failures import explain
from sklearn.base import BaseEstimator
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import LocalOutlierFactor, NearestCentroid, RadiusNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier


def engine_of(model: Any, row: list[float]) -> Engine:
    backend = EstimatorBackend(model, {})
    engine = Engine(backend, backend.signature, model="m", version="1", max_batch_rows=8)
    engine.sample = {"input": row}
    return engine


@pytest.mark.parametrize("given", [[[40.6, 1.0]], [[0.5, 0.4]], [[-0.5, 1.5]], [[np.nan] * 2, [3, 1]]])
def test_what_is_no_probability_is_refused(given: Any) -> None:
    with pytest.raises(probabilities.ImplausibleProbabilities, match="no probabilities"):
        probabilities.of_classes(np.array(given))


@pytest.mark.parametrize("given", [[[0.1, 0.9]], [[np.nan, np.nan]], [[0.0, 0.0]], [[1 / 3] * 3]])
def test_rounding_and_missing_numbers_are_let_through(given: Any) -> None:
    assert probabilities.of_classes(np.array(given)).shape == np.shape(given)


def one_vs_rest() -> Any:
    return OneVsRestClassifier(DecisionTreeClassifier(random_state=0))


RULE_OUT_ALL = [
    one_vs_rest(),
    VotingClassifier([("a", one_vs_rest()), ("b", GaussianNB())], voting="soft"),
    BaggingClassifier(one_vs_rest(), n_estimators=3, random_state=0),
    GridSearchCV(make_pipeline(StandardScaler(), one_vs_rest()), {}, cv=2),
    RadiusNeighborsClassifier(0.1, outlier_label=3),
    SelfTrainingClassifier(one_vs_rest()),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", RULE_OUT_ALL, ids=lambda model: type(model).__name__)
def test_what_rules_out_every_class_predicts_as_its_library_does(model: Any) -> None:
    random = np.random.RandomState(0)
    rows = random.normal(size=(60, 2))
    wanted = model.fit(rows, random.choice(3, 60)).predict_proba(rows := rows * 2)
    assert (wanted.sum(axis=1) < 0.9).any()

    answered = EstimatorBackend(model, {}).predict(rows, ("probabilities",)).values["probabilities"]

    np.testing.assert_array_equal([list(row.values()) for row in answered], wanted)


def test_labels_probabilities_need_not_sum_to_one() -> None:
    assert probabilities.of_labels(np.array([[0.9, 0.9]])).sum() == pytest.approx(1.8)
    with pytest.raises(probabilities.ImplausibleProbabilities):
        probabilities.of_labels(np.array([[0.9, 1.9]]))


def less_the_mean(rows: Any) -> Any:
    return rows - rows.mean(axis=0)


def test_a_model_whose_prediction_depends_on_other_rows_is_refused_at_load() -> None:
    model = FunctionTransformer(less_the_mean).fit([[1.0, 2.0], [3.0, 5.0]])

    with pytest.raises(LoadError) as refused:
        backends.self_check(engine_of(model, [4.0, 7.0]))

    assert refused.value.reason == "SampleFailed"
    assert "in a batch" in refused.value.message


@pytest.mark.parametrize(
    "reference", [b"cpandas.core.indexes.numeric\nInt64Index\n.", b"csklearn.ensemble._forest\nOldForest\n."]
)
def test_a_name_that_a_known_library_no_longer_has_is_a_mismatch(reference: bytes) -> None:
    with pytest.raises((ModuleNotFoundError, AttributeError)) as raised:
        pickle.loads(reference)

    reported = explain(raised.value, Inspected(), (), 1 << 30)

    assert reported.reason == "LibraryMismatch"
    assert "another version" in reported.message
    assert "/" not in reported.message


def test_no_message_names_a_folder_of_the_server() -> None:
    assert without_paths("on <module 'a' from '/opt/lib/python3.11/a.so'>") == "on <module 'a' from 'a.so'>"
    assert without_paths("a/b is no https://host/path/x") == "a/b is no https://host/path/x"


@pytest.mark.parametrize(("version", "release"), [("1.3.2", (1, 3)), ("0.24.2", (0, 24))])
def test_the_version_comes_from_the_file(version: str, release: tuple[int, int]) -> None:
    saved = other_scikit_learn({"scikit-learn": version})
    assert saved is not None
    assert saved.release == release


def test_a_version_that_nothing_is_known_of_is_refused_with_both_and_the_cure() -> None:
    saved = other_scikit_learn({"scikit-learn": "0.24.2"})
    assert saved is not None
    with pytest.raises(LoadError, match=r"LibraryMismatch: .*0\.24\.2.* is here.*save the model with"):
        saved.require_known()


def test_a_newer_version_is_refused_since_what_it_changed_is_unknown() -> None:
    model = GaussianNB().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(LoadError, match=r"LibraryMismatch: .*2\.0\.1; .* is here.*newer versions"):
        mend(model, {"scikit-learn": "2.0.1"})


def test_methods_that_go_with_a_missing_attribute_are_a_mismatch() -> None:
    model = SelfTrainingClassifier(GaussianNB()).fit([[0.0], [1.0], [2.0]], [0, 1, -1])
    del model.estimator_
    model.estimator = None

    with pytest.raises(LoadError, match=r"LibraryMismatch: .*1\.3\.2; .*has no predict here: .*NoneType"):
        mend(model, {"scikit-learn": "1.3.2"})


@pytest.mark.parametrize(
    "model", [LocalOutlierFactor(n_neighbors=2), GridSearchCV(LinearSVC(), {}, cv=2), NearestCentroid()]
)
def test_methods_that_a_model_never_had_are_not_missed(model: Any) -> None:
    model.fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])
    assert mend(model, {"scikit-learn": "1.3.2"}) is model


class _Picky(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    def fit(self, _rows: Any, _wanted: Any = None) -> Any:
        self.n_features_in_ = 2
        return self

    def predict(self, rows: Any) -> Any:
        if np.isnan(rows).sum() > 1:
            raise ValueError("Input X contains NaN.")
        return rows[:, 0]


def test_null_that_the_model_refuses_is_the_callers_fault_and_names_its_columns() -> None:
    backend = EstimatorBackend(_Picky().fit(None), {})
    columns = tuple(Column(name, "number", "float64", optional=True) for name in "ab")
    signature = replace(backend.signature, columns=columns, positional=False)
    engine = Engine(backend, signature, model="m", version="1", max_batch_rows=8)

    answers = engine.predict_many(
        [
            Call("native", b'{"input": {"a": null, "b": null}}'),
            Call("native", b'{"inputs": [{"a": 1, "b": null}]}'),
        ]
    )

    assert isinstance(answers[0], Failure)
    assert answers[0].status == 422
    assert [error["field"] for error in answers[0].errors] == ["input.a", "input.b"]
    assert isinstance(answers[1], Prediction)


class _Scored(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    def __init__(self, scores: Any) -> None:
        self.scores = scores

    def decision_function(self, _rows: Any) -> Any:
        return np.array(self.scores)


def test_one_against_rest_of_old_takes_the_last_of_equals_and_none_after_a_nan() -> None:
    rows = [[0.0], [1.0], [2.0]]
    model = OneVsRestClassifier(DecisionTreeClassifier()).fit(rows, ["a", "b", "c"])
    model.estimators_ = [_Scored([1, 1, np.nan]), _Scored([1, np.nan, 1]), _Scored([0, 2, 2])]

    mend(model, {"scikit-learn": "1.3.2"})

    assert model.predict(rows).tolist() == ["b", "a", "a"]
