"""What estimators give, whatever its shape: the numbers of their own methods, by label and class."""

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from modelport_runtime.core.backends import self_check
from modelport_runtime.core.backends.sklearn import EstimatorBackend
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.signature import Signature, positional_columns
from modelport_runtime.core.types import LoadError
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

from tests.runtime.unit.core.conftest import fields, predict, refused
from tests.support.odd_models import Odd, two_columns

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 2))
ROWS = X[:4]
ONE = (X[:, 0] > 0).astype(int)
THREE = np.array(["a", "b", "c"])[np.digitize(X[:, 0], [-0.5, 0.5])]
LABELS = np.column_stack([ONE, X[:, 1] > 0.3, X.sum(axis=1) > 0]).astype(int)
NAMED = np.column_stack([THREE, np.where(X[:, 1] > 0, "up", "down")])
BOTH = ["prediction", "probabilities"]


def engine_of(model: Any) -> Engine:
    backend = EstimatorBackend(model, {})
    engine = Engine(backend, backend.signature, model="m", version="v1", max_batch_rows=64)
    engine.run(engine.decode_sample({"input": ROWS[0].tolist()}))
    return engine


def predict_alike(model: Any, *outputs: str) -> dict[str, Any]:
    """Return what is answered for all rows together, once it is what is answered for each alone."""
    engine = engine_of(model)
    together = predict(engine, {"inputs": ROWS.tolist(), "return": list(outputs)})
    for place, row in enumerate(ROWS.tolist()):
        alone = predict(engine, {"input": row, "return": list(outputs)})
        for output in outputs:
            key = "predictions" if output == "prediction" else output
            assert leaves(alone[output]) == pytest.approx(leaves(together[key][place]), abs=1e-9)
    return together


def leaves(value: Any) -> list[Any]:
    """Return the single values in lists, objects and arrays, one after the other."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, list) else [value]


MULTILABEL = {
    "chain": ClassifierChain(LogisticRegression()),
    "each": MultiOutputClassifier(LogisticRegression()),
    "neighbors": KNeighborsClassifier(),
    "tree": DecisionTreeClassifier(max_depth=2, random_state=0),
    "forest": ExtraTreesClassifier(3, max_depth=2, random_state=0),
    "layers": MLPClassifier((3,), max_iter=20, random_state=0),
    "one versus rest": OneVsRestClassifier(LogisticRegression()),
    "one versus rest of trees": OneVsRestClassifier(DecisionTreeClassifier(random_state=0)),
    "pipeline": make_pipeline(StandardScaler(), ClassifierChain(LogisticRegression(), order=[2, 0, 1])),
    "search": GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [3]}, cv=2),
    "dummy": DummyClassifier(strategy="prior"),
}


@pytest.mark.parametrize("name", sorted(MULTILABEL))
def test_each_label_has_its_own_probabilities(name: str) -> None:
    model = MULTILABEL[name].fit(X, LABELS)
    given = predict_alike(model, *BOTH)
    assert given["predictions"] == model.predict(ROWS).tolist()
    own = model.predict_proba(ROWS)
    ones = np.array([label[:, 1] for label in own]).T if isinstance(own, list) else own
    assert [[list(label) for label in row] for row in given["probabilities"]] == [[["0", "1"]] * 3] * len(
        ROWS
    )
    assert np.array([[label["1"] for label in row] for row in given["probabilities"]]) == pytest.approx(ones)
    assert all(sum(label.values()) == pytest.approx(1) for row in given["probabilities"] for label in row)


@pytest.mark.parametrize(
    "model", [MultiOutputClassifier(LogisticRegression()), KNeighborsClassifier()], ids=["each", "neighbors"]
)
def test_labels_have_classes_of_their_own(model: Any) -> None:
    model = model.fit(X, NAMED)
    given = predict_alike(model, *BOTH)
    own = model.predict_proba(ROWS)
    assert given["predictions"] == model.predict(ROWS).tolist()
    for place, row in enumerate(given["probabilities"]):
        assert [list(label) for label in row] == [["a", "b", "c"], ["down", "up"]]
        assert [list(label.values()) for label in row] == [one[place].tolist() for one in own]


EXTRAS = {
    "binary": (LogisticRegression(), ONE, "decision_function"),
    "three": (make_pipeline(StandardScaler(), LogisticRegression()), THREE, "decision_function"),
    "pairs": (SVC(decision_function_shape="ovo"), THREE, "decision_function"),
    "chain": (ClassifierChain(LogisticRegression()), LABELS, "decision_function"),
    "forest": (IsolationForest(n_estimators=3, random_state=0), None, "decision_function"),
    "forest's scores": (IsolationForest(n_estimators=3, random_state=0), None, "score_samples"),
    "one class": (OneClassSVM(), None, "score_samples"),
    "neighborhood": (LocalOutlierFactor(novelty=True), None, "score_samples"),
    "mixture": (GaussianMixture(2, random_state=0), None, "score_samples"),
    "components": (PCA(1), None, "score_samples"),
}


@pytest.mark.parametrize("name", sorted(EXTRAS))
def test_the_other_methods_of_an_estimator_can_be_requested(name: str) -> None:
    model, target, method = EXTRAS[name]
    model = model.fit(X, target)
    given = predict_alike(model, method, "prediction")
    assert leaves(given[method]) == pytest.approx(leaves(getattr(model, method)(ROWS)), rel=1e-12)
    assert np.shape(given[method]) == getattr(model, method)(ROWS).shape
    own = (model.predict if hasattr(model, "predict") else model.transform)(ROWS)
    assert leaves(given["predictions"]) == leaves(own)
    assert list(predict(engine_of(model), {"input": ROWS[0].tolist()})) == ["model", "version", "prediction"]


def test_an_output_that_the_model_lacks_is_refused_with_those_it_has() -> None:
    failure = refused(engine_of(PCA(1).fit(X)), {"input": [1, 2], "return": ["probabilities"]})
    assert fields(failure) == ["return"]
    assert failure.detail.endswith("which this model does not have: prediction, score_samples")


TWO = [{"0": 0.25, "1": 0.75}, {"0": 0.75, "1": 0.25}]
LIKELY = {
    "lists": lambda rows: two_columns(rows).tolist(),
    "a frame in the classes' order": lambda rows: pd.DataFrame(two_columns(rows), columns=["no", "yes"]),
    "a frame with the classes in another order": lambda rows: pd.DataFrame(
        two_columns(rows)[:, ::-1], columns=[1, 0]
    ),
    "sparse": lambda rows: scipy.sparse.csr_array(two_columns(rows)),
    "objects": lambda rows: [{0: one, 1: other} for one, other in two_columns(rows).tolist()],
    "float32": lambda rows: two_columns(rows).astype(np.float32),
    "a matrix": lambda rows: np.asmatrix(two_columns(rows)),
}


@pytest.mark.parametrize("name", sorted(LIKELY))
def test_probabilities_of_any_form_are_those_of_the_classes(name: str) -> None:
    given = predict_alike(Odd(likely=LIKELY[name]), *BOTH)
    assert given["predictions"] == (ROWS[:, 0] > 0).astype(int).tolist()
    assert given["probabilities"] == [TWO[0] if row > 0 else TWO[1] for row in ROWS[:, 0]]


def test_components_without_names_are_their_numbers() -> None:
    model = GaussianMixture(3, random_state=0).fit(X)
    given = predict_alike(model, *BOTH)["probabilities"]
    assert [list(row) for row in given] == [["0", "1", "2"]] * len(ROWS)
    assert leaves(given) == pytest.approx(leaves(model.predict_proba(ROWS)), abs=1e-12)


def test_one_hot_predictions_are_no_labels() -> None:
    model = Odd(lambda rows: np.rint(two_columns(rows)), two_columns)
    assert predict_alike(model, *BOTH)["probabilities"][0] == TWO[int(ROWS[0, 0] <= 0)]


UNREADABLE = {
    "one number a row": Odd(likely=lambda rows: two_columns(rows)[:, 1]),
    "one column": Odd(likely=lambda rows: two_columns(rows)[:, 1:]),
    "more columns than classes": Odd(likely=lambda rows: np.full((len(rows), 3), 1 / 3)),
    "no classes": Odd(lambda rows: ["no"] * len(rows), two_columns, classes=None),
    "two results": Odd(lambda rows: (rows[:, 0], rows[:, 1])),
    "a dictionary": Odd(lambda rows: {"mean": rows[:, 0]}),
    "a number": Odd(lambda rows: rows.sum()),
    "nothing": Odd(lambda rows: None),
    "a set": Odd(lambda rows: {1.0}),
    "three dimensions": Odd(likely=lambda rows: two_columns(rows)[None]),
}


@pytest.mark.parametrize("name", sorted(UNREADABLE))
def test_outputs_that_cannot_be_read_by_row_and_class_are_refused_at_load(name: str) -> None:
    backend = EstimatorBackend(UNREADABLE[name], {})
    engine = Engine(backend, backend.signature, model="m", version="v1", max_batch_rows=64)
    with pytest.raises(LoadError, match=r"gave|results for") as refusal:
        self_check(engine)
    assert refusal.value.reason == "SampleFailed"


@pytest.mark.parametrize(
    ("classes", "keys"),
    [
        (["1", 1], ['"1"', "1"]),
        ([True, "true"], ["true", '"true"']),
        ([None, "null"], ["null", '"null"']),
        (["a", "b"], ["a", "b"]),
        ([1.5, "2"], ["1.5", "2"]),
    ],
)
def test_no_two_classes_share_a_key(classes: list[Any], keys: list[str]) -> None:
    (row, *_) = predict_alike(Odd(likely=two_columns, classes=classes), *BOTH)["probabilities"]
    assert list(row) == keys


def test_classes_that_are_alike_in_json_are_refused_at_load() -> None:
    day = datetime.date(2024, 2, 29)
    with pytest.raises(LoadError, match="the same in JSON") as refusal:
        _ = EstimatorBackend(Odd(likely=two_columns, classes=[day, "2024-02-29"]), {}).signature
    assert refusal.value.reason == "UnsupportedFormat"


def gives(predict: Any) -> Any:
    return predict_alike(Odd(predict, classes=None), "prediction")["predictions"][0]


def test_predictions_of_any_form_are_one_value_a_row() -> None:
    records = np.dtype([("low", "f4"), ("high", "i8")])
    moment = pd.Timestamp("2024-01-31T12:00:00")
    assert gives(lambda rows: pd.DataFrame({"a": rows[:, 0] * 0 + 0.5, "b": 1})) == [0.5, 1.0]
    assert gives(lambda rows: pd.Series(["x"] * len(rows), index=range(7, 7 + len(rows)))) == "x"
    assert gives(lambda rows: pd.Categorical(["x"] * len(rows))) == "x"
    assert gives(lambda rows: pd.array([None] * len(rows), dtype="Int64")) is None
    assert gives(lambda rows: pd.Series([moment] * len(rows))).startswith("2024-01-31T12:00:00.0")
    assert gives(lambda rows: np.array([pd.NaT] * len(rows), dtype=object)) is None
    assert gives(lambda rows: np.array([(0.1, 2)] * len(rows), dtype=records)) == {"low": 0.1, "high": 2}
    assert gives(lambda rows: np.array([b"x"] * len(rows))) == "x"
    assert gives(lambda rows: np.full(len(rows), 0.5, dtype=np.float16)) == 0.5
    assert gives(lambda rows: np.full(len(rows), 0.1, dtype=np.longdouble)) == 0.1
    assert gives(lambda rows: np.zeros((len(rows), 2, 2))) == [[0, 0], [0, 0]]
    assert gives(lambda rows: (7,) * len(rows)) == 7
    assert gives(lambda rows: scipy.sparse.coo_array(np.ones((len(rows), 2)))) == [1, 1]


def test_a_transformer_of_sparse_columns_gives_dense_rows() -> None:
    model = OneHotEncoder(handle_unknown="ignore").fit([["a"], ["b"]])
    backend = EstimatorBackend(model, {})
    engine = Engine(backend, backend.signature, model="m", version="v1", max_batch_rows=64)
    assert predict(engine, {"inputs": [["b"], ["c"]]})["predictions"] == [[0, 1], [0, 0]]


def test_arrays_go_along_as_they_were_given() -> None:
    model = LogisticRegression().fit(X, THREE)
    engine = engine_of(model)
    request = engine.decode_sample({"input": ROWS[0].tolist()})
    assert engine.run(request).arrays["probabilities"].tolist() == model.predict_proba(ROWS[:1]).tolist()
    assert request.outputs == ("prediction", "probabilities")
    assert engine.signature == Signature(
        "classifier",
        positional_columns(2),
        positional=True,
        outputs=("prediction", "probabilities", "decision_function"),
        classes=("a", "b", "c"),
    )
