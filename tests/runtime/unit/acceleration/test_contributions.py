"""Contributions: the numbers of `shap` and of the boosters, and never ones that do not add up."""

import json
from collections.abc import Callable
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import orjson
import pandas as pd
import pytest
from modelport_runtime.core import backends
from modelport_runtime.core.acceleration import (
    Accelerated,
    Declined,
    PlanRefused,
    accelerate,
    difference,
    plan,
    read_plan,
)
from modelport_runtime.core.acceleration.converters.walk import convert
from modelport_runtime.core.backends.sklearn import EstimatorBackend
from modelport_runtime.core.contributions import forget_contributions, offer_contributions
from modelport_runtime.core.contributions.explained import MAX_CELLS
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Failure, Prediction, Request
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.tree import DecisionTreeRegressor

from tests.support import models

Serve = Callable[..., Engine]
FIXTURES = Path(__file__).parents[3] / "fixtures" / "contributions"
SAID = json.loads((FIXTURES / "terms.json").read_text())
ROW = [5.1, 3.5, 1.4, 0.2]
ASKED = {"input": ROW, "return": ["prediction", "contributions"]}


def _framework(name: str) -> str:
    return next((each for each in ("xgboost", "lightgbm") if name.startswith(each)), "sklearn")


def _load(path: Path, framework: str = "sklearn", sample: Any = None) -> Engine:
    backends.prepare(framework)
    engine = backends.load(path, framework, sample, model="m", version="v1", max_batch_rows=64)
    backends.self_check(engine)
    offer_contributions(engine)
    return engine


def _terms(engine: Engine, rows: list[Any]) -> Any:
    """Return n × outputs × (columns + 1), the base last."""
    read = engine._decoder.read_rows(rows, None)
    array = engine.run(Request(read, single=False, outputs=("contributions",))).arrays["contributions"]
    return array if array.ndim == 3 else array[:, None]


def _kernels(engine: Engine) -> Engine:
    """Without the proof, which takes longer than all else here."""
    estimator = engine.backend.estimator  # type: ignore[attr-defined]
    backend = read_plan(plan.encode(convert(estimator, engine.signature, {})))
    return Engine(backend, backend.signature, model="m", version="v1", max_batch_rows=64)


def _answer(engine: Engine, body: Any, protocol: Any = "native") -> Any:
    (answer,) = engine.predict_many([Call(protocol, orjson.dumps(body))])
    assert isinstance(answer, Prediction), answer
    return orjson.loads(answer.body)


@pytest.fixture
def explain(tmp_path: Path) -> Serve:
    return lambda model, sample=None: _load(models.save_joblib(model, tmp_path), sample=sample)


@pytest.mark.parametrize("name", SAID)
def test_they_are_those_of_shap_and_of_the_boosters(name: str) -> None:
    """The fixtures are of their own libraries' numbers: see `generate.py` beside them."""
    engine = _load(FIXTURES / f"{name}.joblib", _framework(name))
    rows = SAID[name]["rows"]
    found = _terms(engine, rows)
    # Of two classes shap has both, and one is the other's negative.
    wanted = np.array(SAID[name]["terms"])[:, -found.shape[1] :]
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    if _framework(name) == "sklearn":
        assert _terms(_kernels(engine), rows) == pytest.approx(wanted, rel=1e-6, abs=1e-6)


def _by_definition(tree: Any, row: Any, width: int) -> Any:
    """Shapley's values of the game in which a tree without a column takes both sides by their weight."""

    def value(known: tuple[int, ...], node: int = 0) -> float:
        left, right = tree.children_left[node], tree.children_right[node]
        if left < 0:
            return float(tree.value[node, 0, 0])
        column = tree.feature[node]
        if column in known:
            return value(known, left if row[column] <= tree.threshold[node] else right)
        weights = [
            tree.weighted_n_node_samples[side] / tree.weighted_n_node_samples[node] for side in (left, right)
        ]
        return weights[0] * value(known, left) + weights[1] * value(known, right)

    def of_column(column: int) -> float:
        others = [each for each in range(width) if each != column]
        total = 0.0
        for size in range(width):
            weight = factorial(size) * factorial(width - size - 1) / factorial(width)
            for known in combinations(others, size):
                total += weight * (value((*known, column)) - value(known))
        return total

    return np.array([*map(of_column, range(width)), value(())])


def test_they_are_shapley_s_by_definition(explain: Serve) -> None:
    random = np.random.default_rng(3)
    data = random.normal(size=(200, 6)).round(1)
    model = DecisionTreeRegressor(max_depth=7, random_state=0)
    # Weights, and several splits on one column on the way to a leaf.
    model.fit(data, data[:, 0] ** 2 - data[:, 1] * data[:, 2], sample_weight=random.uniform(0.1, 3, 200))
    rows = random.normal(size=(5, 6)).round(1)
    wanted = np.array([_by_definition(model.tree_, row.astype(np.float32), 6) for row in rows])
    assert _terms(explain(model), rows.tolist())[:, 0] == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def test_the_response_says_what_they_are_parts_of(explain: Serve) -> None:
    model = make_pipeline(SimpleImputer(), LogisticRegression()).fit(*_two_species())
    found = _answer(explain(model), {"input": ROW, "return": ["probabilities", "contributions"]})
    explained = found["contributions"]
    assert (explained["scale"], explained["class"]) == ("log_odds", "versicolor")
    assert list(explained["values"]) == ["x0", "x1", "x2", "x3"]
    log_odds = explained["base"] + sum(explained["values"].values())
    assert 1 / (1 + np.exp(-log_odds)) == pytest.approx(found["probabilities"]["versicolor"])


def _two_species() -> tuple[Any, Any]:
    data, species = models.iris()
    return data[:100], species[:100]


def test_of_several_classes_each_has_its_own(explain: Serve) -> None:
    engine = explain(RandomForestClassifier(5, random_state=0).fit(*models.iris()))
    body = {"inputs": [ROW, ROW], "return": ["probabilities", "contributions"]}
    found = _answer(_kernels(engine), body)
    assert found == _answer(engine, body)
    explained, probabilities = found["contributions"][1], found["probabilities"][1]
    assert explained["scale"] == "probability"
    assert {
        name: terms["base"] + sum(terms["values"].values()) for name, terms in explained["classes"].items()
    } == pytest.approx(probabilities)


def test_as_tensors_the_base_is_the_last_column(explain: Serve) -> None:
    engine = explain(RandomForestClassifier(5, random_state=0).fit(*models.iris()))
    body = {
        "inputs": [{"name": "input", "shape": [1, 4], "datatype": "FP64", "data": ROW}],
        "outputs": [{"name": "contributions"}],
    }
    (tensor,) = _answer(engine, body, "v2")["outputs"]
    assert (tensor["datatype"], tensor["shape"]) == ("FP64", [1, 3, 5])
    assert tensor["data"] == _terms(engine, [ROW]).ravel().tolist()
    (described,) = (each for each in engine.v2_metadata()["outputs"] if each["name"] == "contributions")
    assert described == {"name": "contributions", "datatype": "FP64", "shape": [-1, 3, 5]}


def test_what_an_encoder_made_of_a_column_is_its_own_again() -> None:
    engine = _load(FIXTURES / "encoded.joblib")
    row = SAID["encoded"]["rows"][0]
    explained = _answer(engine, {"input": row, "return": ["contributions"]})["contributions"]
    assert list(explained["values"]) == ["age", "debt", "city"]


def test_a_missing_value_contributes_what_fills_it(explain: Serve) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, np.nan, 4.0] * 20, "b": [1.0, 0.0, 1.0, 0.0] * 20})
    model = make_pipeline(SimpleImputer(), LogisticRegression()).fit(frame, frame.b > 0.5)
    explained = _answer(explain(model), {"input": {"a": None, "b": 1}, "return": ["contributions"]})
    assert explained["contributions"]["values"]["a"] == pytest.approx(
        model[-1].coef_[0, 0] * model[0].statistics_[0]
    )


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(PCA(2), LogisticRegression()),
        make_pipeline(Normalizer(), LogisticRegression()),
        KNeighborsClassifier(),
        IsolationForest(n_estimators=3),
    ],
)
def test_what_has_none_does_not_offer_them(model: Any, explain: Serve) -> None:
    data, species = models.iris()
    engine = explain(model.fit(data, species))
    assert "contributions" not in engine.signature.outputs
    (refused,) = engine.predict_many([Call("native", orjson.dumps(ASKED))])
    assert isinstance(refused, Failure)
    assert (refused.status, refused.errors[0]["field"]) == (422, "return")


def test_a_model_without_kernels_is_explained_all_the_same(explain: Serve) -> None:
    """Its plan is not faster, or acceleration is off: the arrays explain what the model computes."""
    engine = explain(DecisionTreeRegressor(random_state=0).fit(models.iris()[0], models.iris()[0][:, 0]))
    forget_contributions(engine)
    found = _answer(engine, ASKED)
    explained = found["contributions"]
    assert explained["base"] + sum(explained["values"].values()) == pytest.approx(found["prediction"])


def test_terms_that_do_not_add_up_are_not_returned(explain: Serve) -> None:
    """The model is not the one that was taken apart: what it computes counts."""
    engine = explain(RandomForestRegressor(5, random_state=0).fit(models.iris()[0], models.iris()[0][:, 0]))
    for tree in engine.backend.estimator.estimators_:  # type: ignore[attr-defined]
        tree.tree_.value[:] += 0.1
    (refused,) = engine.predict_many([Call("native", orjson.dumps(ASKED))])
    assert isinstance(refused, Failure)
    assert (refused.status, refused.reason) == (500, "ModelError")
    assert "do not add up" in refused.detail
    assert _answer(engine, {"input": ROW})["prediction"]


def test_a_model_that_was_never_what_it_seems_does_not_offer_them(explain: Serve) -> None:
    class Shifted(LogisticRegression):
        def decision_function(self, rows: Any) -> Any:
            return super().decision_function(rows) + 1

    Shifted.__module__ = "sklearn.linear_model._logistic"
    Shifted.__qualname__ = Shifted.__name__ = "LogisticRegression"
    backend = EstimatorBackend(Shifted().fit(*_two_species()), {})
    engine = Engine(backend, backend.signature, model="m", version="v1", max_batch_rows=64)
    backends.self_check(engine)
    offer_contributions(engine)
    assert "contributions" not in engine.signature.outputs


def test_more_than_a_request_s_work_is_refused(explain: Serve) -> None:
    engine = explain(RandomForestClassifier(60, random_state=0).fit(*models.iris()))
    rows = MAX_CELLS // engine.backend.cells + 1  # type: ignore[attr-defined]
    body = orjson.dumps({"inputs": [ROW] * rows, "return": ["contributions"]})
    for one in (engine, _kernels(engine)):
        (refused,) = one.predict_many([Call("native", body)])
        assert isinstance(refused, Failure)
        assert refused.status == 422
        assert f"Send at most {rows - 1:,} rows" in refused.detail


def test_a_recheck_sees_another_contribution(explain: Serve) -> None:
    engine = explain(LogisticRegression().fit(*models.iris()))
    call = Call("native", orjson.dumps(ASKED))
    answer = _answer(engine, ASKED)
    assert difference(engine, call, Prediction(orjson.dumps(answer))) == 0
    answer["contributions"]["classes"]["setosa"]["values"]["x1"] += 1e-3
    assert difference(engine, call, Prediction(orjson.dumps(answer))) is None


@pytest.mark.parametrize("columns", [[0, 1, 2, 3, 4], [1, 0, 2, 3, 4]])
def test_a_proof_compares_them(columns: list[int], explain: Serve) -> None:
    """Two terms in each other's place have the same sum."""
    engine = explain(LogisticRegression().fit(*_two_species()))
    explainer = engine.backend._explainer  # type: ignore[attr-defined]
    of = explainer.explain
    explainer.explain = lambda rows, inputs: of(rows, inputs)[:, :, columns]
    made = accelerate(engine, seconds=20.0, rows=1_000)
    assert isinstance(made, Accelerated if columns == sorted(columns) else Declined), made


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A plan that offers contributions."""
    folder = tmp_path_factory.mktemp("forest")
    engine = _load(models.save_joblib(RandomForestClassifier(3, random_state=0).fit(*models.iris()), folder))
    estimator = engine.backend.estimator  # type: ignore[attr-defined]
    return plan.encode(convert(estimator, engine.signature, {}))


def _spoiled(forest: bytes, spoil: Callable[[Any], None]) -> str:
    made = msgspec.msgpack.decode(forest)
    spoil(made["final"]["trees"])
    with pytest.raises(PlanRefused) as refused:
        read_plan(msgspec.msgpack.encode(made))
    return str(refused.value)


def test_hostile_covers_are_refused(forest: bytes) -> None:
    nodes = plan.decode(forest).final.trees.feature.shape[0]  # type: ignore[union-attr]

    def covers(value: float, count: int = nodes) -> Callable[[Any], None]:
        array = msgspec.to_builtins(plan.pack(np.full(count, value)), builtin_types=(bytes,))
        return lambda trees: trees.update(covers=array)

    for value in (0.0, -1.0, float("nan"), float("inf")):
        assert "no training row came to" in _spoiled(forest, covers(value))
    assert "not of the length" in _spoiled(forest, covers(1.0, nodes - 1))
    assert "without covers" in _spoiled(forest, lambda trees: trees.update(covers=None))


def test_trees_that_share_nodes_are_refused(forest: bytes) -> None:
    """Walked as trees, one of 512 levels of shared children would have 2^512 ways."""

    def share(trees: Any) -> None:
        left = np.frombuffer(trees["left"]["data"], np.int64)
        trees["right"] = msgspec.to_builtins(plan.pack(left, "int64"), builtin_types=(bytes,))

    assert "two ways lead to a node" in _spoiled(forest, share)


def test_of_counts_they_add_up_to_the_logarithm(explain: Serve) -> None:
    data = models.iris()[0]
    model = HistGradientBoostingRegressor(loss="poisson", max_iter=5).fit(data, data[:, 0])
    found = _answer(explain(model), ASKED)
    explained = found["contributions"]
    assert explained["scale"] == "log_prediction"
    assert np.exp(explained["base"] + sum(explained["values"].values())) == pytest.approx(found["prediction"])
    assert "contributions" not in explain(PoissonRegressor().fit(data, data[:, 0])).signature.outputs
