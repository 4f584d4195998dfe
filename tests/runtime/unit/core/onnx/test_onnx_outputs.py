"""What ONNX graphs give, by name: probabilities only where they are some, with the model's own classes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modelport_runtime.core.signature import TensorSpec
from onnx import helper
from skl2onnx import to_onnx
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, LinearSVC

from tests.runtime.unit.core.conftest import fields, open_engine, predict, refused
from tests.support.onnx_graphs import Graph

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3)).astype(np.float32)
SPECIES = np.array(["setosa", "versicolor", "virginica"])[np.digitize(X[:, 0], [-0.5, 0.5])]
CODES = np.digitize(X[:, 0], [-0.5, 0.5]) * 10
LABELS = (X > 0).astype(int)
ROWS = X[:4]


def opened(model: Any, folder: Path, **options: Any) -> Any:
    made = to_onnx(model, X[:1], target_opset={"": 17, "ai.onnx.ml": 3}, **options)
    (folder / "model").write_bytes(made.SerializeToString())
    return open_engine(folder / "model", "onnx")


def values(rows: Any) -> np.ndarray:
    """Numbers without the keys of their classes."""
    return np.array(
        [[_values(part) for part in row] if isinstance(row, list) else _values(row) for row in rows]
    )


def _values(part: Any) -> Any:
    return list(part.values()) if isinstance(part, dict) else part


CLASSIFIERS = {
    "logistic": (LogisticRegression(), SPECIES),
    "forest": (RandomForestClassifier(3, random_state=0), SPECIES),
    "bayes": (GaussianNB(), SPECIES),
    "neighbors": (KNeighborsClassifier(), CODES),
    "perceptron of layers": (MLPClassifier((3,), max_iter=20, random_state=0), CODES),
}


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("name", sorted(CLASSIFIERS))
def test_probabilities_have_the_classes_of_the_model(name: str, zipmap: bool, tmp_path: Path) -> None:
    estimator, target = CLASSIFIERS[name]
    model = estimator.fit(X, target)
    engine = opened(model, tmp_path, options={"zipmap": zipmap})
    response = predict(engine, {"inputs": ROWS.tolist(), "return": ["prediction", "probabilities"]})
    assert response["predictions"] == model.predict(ROWS).tolist()
    keys = [str(label) for label in model.classes_]
    assert [list(row) for row in response["probabilities"]] == [keys] * len(ROWS)
    assert values(response["probabilities"]) == pytest.approx(model.predict_proba(ROWS), abs=1e-4)


SCORES = {
    "distances": (KMeans(3, n_init=1, random_state=0), None, "scores", "transform"),
    "anomalies": (IsolationForest(n_estimators=3, random_state=0), None, "scores", "decision_function"),
    "logits": (LinearSVC(), CODES, "scores", "decision_function"),
    "mapped logits": (Perceptron(), CODES, "output_probability", "decision_function"),
    "mapped votes": (SVC(), CODES, "output_probability", "decision_function"),
}


@pytest.mark.parametrize("name", sorted(SCORES))
def test_what_is_no_probability_is_not_called_one(name: str, tmp_path: Path) -> None:
    estimator, target, output, method = SCORES[name]
    model = estimator.fit(X, target)
    engine = opened(model, tmp_path)
    assert engine.signature.outputs == ("prediction", output)
    assert fields(refused(engine, {"input": [0, 0, 0], "return": ["probabilities"]})) == ["return"]
    response = predict(engine, {"inputs": ROWS.tolist(), "return": [output, "prediction"]})
    assert response["predictions"] == model.predict(ROWS).tolist()
    assert values(response[output]) == pytest.approx(getattr(model, method)(ROWS), abs=1e-3)


MULTILABEL = {
    "neighbors": KNeighborsClassifier(),
    "one model a label": MultiOutputClassifier(LogisticRegression()),
    "one versus rest": OneVsRestClassifier(LogisticRegression()),
    "layers": MLPClassifier((3,), max_iter=20, random_state=0),
}


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("name", sorted(MULTILABEL))
def test_each_label_has_its_own_probabilities(name: str, zipmap: bool, tmp_path: Path) -> None:
    model = MULTILABEL[name].fit(X, LABELS)
    zipmap = zipmap and name not in ("neighbors", "one model a label")
    engine = opened(model, tmp_path, options={"zipmap": zipmap})
    response = predict(engine, {"inputs": ROWS.tolist(), "return": ["probabilities", "prediction"]})
    assert response["predictions"] == model.predict(ROWS).tolist()
    assert {tuple(label) for row in response["probabilities"] for label in row} == {("0", "1")}
    own = model.predict_proba(ROWS)
    ones = np.array([label[:, 1] for label in own]).T if isinstance(own, list) else own
    assert values(response["probabilities"])[:, :, 1] == pytest.approx(ones, abs=1e-4)
    assert values(response["probabilities"]).sum(axis=2) == pytest.approx(1)


def test_a_mixture_returns_the_probability_of_each_component(tmp_path: Path) -> None:
    model = GaussianMixture(2, random_state=0).fit(X)
    response = predict(
        opened(model, tmp_path), {"inputs": ROWS.tolist(), "return": ["probabilities", "prediction"]}
    )
    assert response["predictions"] == model.predict(ROWS).tolist()
    assert values(response["probabilities"]) == pytest.approx(model.predict_proba(ROWS), abs=1e-3)


def several(names: tuple[str, str] = ("a", "b")) -> Graph:
    first, second = names
    nodes = [helper.make_node("Identity", ["x"], [first]), helper.make_node("Neg", ["x"], [second])]
    return Graph(nodes, [("x", "float32", [None, 2])], [(name, "float32", [None, 2]) for name in names])


def test_each_of_several_outputs_has_its_own_name(tmp_path: Path) -> None:
    engine = open_engine(several().save(tmp_path), "onnx")
    assert engine.signature.outputs == ("prediction", "a", "b")
    response = predict(engine, {"input": [1, 2], "return": ["b", "a"]})
    assert response == {"model": "m", "version": "v1", "a": [1.0, 2.0], "b": [-1.0, -2.0]}
    assert predict(engine, {"inputs": [[1, 2]]})["predictions"] == [{"a": [1.0, 2.0], "b": [-1.0, -2.0]}]
    assert engine.signature.tensors_in == (TensorSpec("x", "FP32", (None, 2)),)
    assert engine.signature.tensors_out == tuple(TensorSpec(n, "FP32", (None, 2), n) for n in "ab")
    outputs = engine.run(engine.decode_sample({"input": [1, 2]}))
    assert {name: array.dtype.name for name, array in outputs.arrays.items()} == {
        "a": "float32",
        "b": "float32",
    }


def test_an_output_named_as_a_key_of_the_response_gets_another_name(tmp_path: Path) -> None:
    engine = open_engine(several(("version", "probabilities")).save(tmp_path), "onnx")
    assert engine.signature.outputs == ("prediction", "version_output", "probabilities_output")
    response = predict(engine, {"input": [1, 2], "return": ["version_output"]})
    assert (response["version"], response["version_output"]) == ("v1", [1, 2])


def test_a_regressor_of_several_targets_keeps_its_tensor(tmp_path: Path) -> None:
    model = LinearRegression().fit(X, X)
    engine = opened(model, tmp_path)
    assert engine.signature.tensors_out == (TensorSpec("variable", "FP32", (None, 3), "prediction"),)
    assert values(predict(engine, {"inputs": ROWS.tolist()})["predictions"]) == pytest.approx(X[:4], abs=1e-5)
