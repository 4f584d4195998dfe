"""A file of each framework, in the image of its environment, predicts in a pod what its own library did; so
do versions that are joined, and what is explained of one is what it says.

Answers come from the fixtures, whose `generate.py` stored what the library computed.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.cluster.cluster import Cluster
from tests.e2e.accounts import Person, register, save
from tests.e2e.environments import load_environment
from tests.support.models import iris_logistic_named

pytestmark = [pytest.mark.e2e, pytest.mark.nightly, pytest.mark.timeout(2400)]

FIXTURES = Path(__file__).parents[2] / "fixtures"
Known = dict[str, Any]
COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


@dataclass(frozen=True)
class Case:
    """`rows` and `expected`: of what the fixture knows. `environment` None: the platform's own image."""

    file: str
    environment: str | None
    rows: Callable[[Known], list[Any]]
    expected: Callable[[Known], Any]
    output: str = "prediction"
    options: tuple[str, ...] = ()


def _of(name: str, key: str) -> Callable[[Known], Any]:
    return lambda known: known[name][key]


def _by_columns(name: str, *columns: str) -> Callable[[Known], list[Any]]:
    return lambda known: [{column: row[column] for column in columns} for row in known[name]["rows"]]


def _case(file: str, environment: str | None, name: str, key: str, output: str = "prediction") -> Case:
    return Case(file, environment, _of(name, "rows"), _of(name, key), output)


def _texts(known: Known) -> list[Any]:
    return [{"text": text} for text in known["rows"]]


def _named(known: Known) -> list[Any]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in known["rows"]]


_FORMULA = ("age", "income", "city", "member")
_XGBOOST = "other_boosters/xgboost-3.0.5/leaves.ubj"
CASES = [
    _case("catboost/visits.cbm", "catboost-1.2", "visits", "probabilities", "probabilities"),
    _case("jax/network.jaxexport", "jax-0.10", "network", "prediction"),
    _case("river/mixed.joblib", "river-0.26", "mixed", "prediction"),
    Case(
        "statsmodels/old/ols_formula.joblib",
        "statsmodels-0.14",
        _by_columns("ols_formula", *_FORMULA),
        _of("ols_formula", "prediction"),
    ),
    Case(
        "statsmodels/new/ols_formula.joblib",
        "statsmodels-0.15",
        _by_columns("ols_formula", *_FORMULA),
        _of("ols_formula", "prediction"),
    ),
    Case(
        "other_boosters/xgboost-3.0.5/classes.deprecated",
        "xgboost-3.0",
        _of("classes", "rows"),
        _of("classes", "predict"),
        # On Kubernetes none is chosen: its image may not be there.
        options=("--environment", "xgboost-3.0"),
    ),
    Case(
        _XGBOOST,
        "xgboost-3.1",
        _of("leaves", "rows"),
        _of("leaves", "predict"),
        options=("--environment", "xgboost-3.1"),
    ),
    _case("autogluon/flowers.zip", "autogluon-1.6", "flowers.zip", "probabilities", "probabilities"),
    _case("tensorflow/flowers.keras", "tensorflow-2.21", "flowers", "answers", "probabilities"),
    _case("mlflow/graph.zip", "tensorflow-2.21", "graph.zip", "predictions"),
    _case("mlflow/skops.zip", None, "skops.zip", "predictions"),
    Case("model_folders/mlserver_sklearn.zip", None, _named, lambda known: known["mlserver_sklearn.zip"]),
    Case(
        "transformers/bert.zip",
        "transformers-5.24",
        _texts,
        # Its pipeline has the likeliest first.
        lambda known: [dict(sorted(each.items())) for each in known["bert.zip"]],
        "probabilities",
    ),
    # Last: of the large images the disk holds one, and the next tests need this.
    Case("torch/dynamic.pt2", "torch-2.15", lambda known: known["rows"], lambda known: known["mlp"]),
    Case("torch/script.pt", "torch-2.15", lambda known: known["rows"], lambda known: known["mlp"]),
]


@pytest.fixture(scope="module")
def person(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    registered = register(platform.url, tmp_path_factory.mktemp("home"))
    yield registered
    registered.delete_models()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file.replace("/", "-"))
def test_it_predicts_what_its_library_did(
    pytestconfig: pytest.Config, cluster: Cluster, person: Person, case: Case
) -> None:
    if case.environment:
        load_environment(pytestconfig, cluster, case.environment)
    path = FIXTURES / case.file
    known = json.loads(path.with_name("answers.json").read_text())
    rows = case.rows(known)
    model = person.upload(path, "--sample", json.dumps(rows[0]), *case.options)
    body = {"inputs": rows, "return": [case.output]}
    with person.http() as client:
        given = client.post(f"/predict/{model['id']}", json=body).raise_for_status().json()
    (version,) = person.model(model["id"])["versions"]
    assert (version["environment"], version["sandbox"]["level"]) == (case.environment, 2)
    found = given["predictions" if case.output == "prediction" else case.output]
    for one, other in zip(_flat(found), _flat(case.expected(known)), strict=True):
        assert one == (other if isinstance(other, str) else pytest.approx(other, rel=1e-6, abs=1e-6))
    # The next image needs the node's memory.
    person.cli("delete", model["id"], "--yes")


def _flat(values: Any) -> list[Any]:
    """The numbers and labels, in order."""
    if isinstance(values, dict | list):
        each = values.values() if isinstance(values, dict) else values
        return [leaf for value in each for leaf in _flat(value)]
    return [values]


def test_a_stack_of_versions_predicts_what_scikit_learn_does(person: Person, tmp_path: Path) -> None:
    rows, target = load_breast_cancer(return_X_y=True, as_frame=True)
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, target)
    forest = RandomForestClassifier(10, random_state=0).fit(rows, target)
    oracle = StackingClassifier([("a", linear), ("b", forest)], cv="prefit").fit(rows, target)
    parts = [
        person.upload(save(model, tmp_path / name))["id"]
        for name, model in (("linear", linear), ("forest", forest), ("final", oracle.final_estimator_))
    ]
    *members, final = parts
    joined = ("--join", "stack", "--final", final, "--name", "stacked")
    model = json.loads(person.cli("ensemble", *members, *joined, "--json"))
    for each in parts:
        person.cli("delete", each, "--yes")
    asked = rows.head(50)
    body = {"inputs": asked.to_dict("records"), "return": ["prediction", "probabilities"]}
    with person.http() as client:
        given = client.post(f"/predict/{model['id']}", json=body).raise_for_status().json()
    (version,) = person.model(model["id"])["versions"]
    assert (version["status"], version["sandbox"]["level"]) == ("ready", 2)
    assert given["predictions"] == oracle.predict(asked).tolist()
    shares = [list(each.values()) for each in given["probabilities"]]
    assert _flat(shares) == pytest.approx(_flat(oracle.predict_proba(asked).tolist()), abs=1e-9)
    person.cli("delete", model["id"], "--yes")


def test_the_importance_of_a_version_is_the_mean_of_what_its_pod_returns(
    person: Person, tmp_path: Path
) -> None:
    named = iris_logistic_named()
    reference = tmp_path / "train.csv"
    named.data.head(40).to_csv(reference, index=False)
    path = save(named.model, tmp_path / "iris.joblib")
    model_id = person.upload(path, "--reference", str(reference))["id"]
    found = json.loads(person.cli("importance", model_id, "--json"))
    assert (found["state"], found["source"], found["rows"]) == ("ready", "reference", 40)
    body = {"inputs": named.rows[:40], "return": ["contributions"]}
    with person.http() as client:
        live = client.post(f"/predict/{model_id}", json=body).raise_for_status().json()["contributions"]
    for label, sums in found["classes"].items():
        for column in sums["columns"]:
            terms = [row["classes"][label]["values"][column["name"]] for row in live]
            assert column["mean"] == pytest.approx(sum(map(abs, terms)) / 40, abs=1e-9)
    person.cli("delete", model_id, "--yes")
