"""Many calls at once: answered in place, in as few model calls as may be, each failing alone."""

from typing import Any

import numpy as np
import orjson
import pytest
from modelport_runtime.core.backends import load, self_check
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.responses import NativeResponses, class_key, encode, plain
from modelport_runtime.core.signature import Signature, positional_columns
from modelport_runtime.core.types import Call, Failure, LoadError, Outputs, Prediction, Request
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

from tests.runtime.unit.core.conftest import fields, open_engine, predict, refused
from tests.support import models


class Recorder:
    """A backend that adds a row's numbers, counts its calls, and raises at a negative sum."""

    signature = Signature("regressor", positional_columns(2), positional=True)

    def __init__(self) -> None:
        self.libraries: dict[str, str] = {}
        self.calls: list[int] = []

    def assembler(self, signature: Signature) -> Any:
        return np.array

    def totals(self, inputs: Any) -> list[Any]:
        self.calls.append(len(inputs))
        sums = inputs.sum(axis=1)
        if (sums < 0).any():
            raise ValueError("negative\nsecond line")
        return sums.tolist() if len(inputs) != 13 else [0]

    def probabilities(self, inputs: Any) -> list[Any]:
        raise NotImplementedError

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        read = {"prediction": self.totals, "probabilities": self.probabilities}
        return Outputs({name: read[name](inputs) for name in wanted})


def engine_of(backend: Any, max_batch_rows: int = 8) -> Engine:
    return Engine(backend, backend.signature, model="m", version="v1", max_batch_rows=max_batch_rows)


def call(*rows: list[float]) -> Call:
    return Call("native", orjson.dumps({"inputs": list(rows)}))


def predictions(result: Prediction | Failure) -> Any:
    assert isinstance(result, Prediction)
    return orjson.loads(result.body)["predictions"]


def test_calls_share_one_model_call_up_to_the_batch_size() -> None:
    backend = Recorder()
    results = engine_of(backend).predict_many([call([i, i], [i, 0]) for i in range(6)])
    assert backend.calls == [8, 4]
    assert [predictions(result) for result in results] == [[2 * i, i] for i in range(6)]


def test_a_call_larger_than_a_batch_goes_whole_and_alone() -> None:
    backend = Recorder()
    engine_of(backend).predict_many([call([1, 1]), call(*[[1, 1]] * 20), call([1, 1])])
    assert backend.calls == [1, 20, 1]


def test_calls_for_different_outputs_get_their_results_in_their_places() -> None:
    class Both(Recorder):
        signature = Signature("classifier", positional_columns(2), outputs=("prediction", "probabilities"))

        def probabilities(self, inputs: Any) -> list[Any]:
            return [{"sum": value} for value in inputs.sum(axis=1).tolist()]

    asked = [["prediction"], ["probabilities"], ["probabilities", "prediction"], ["prediction"]]
    calls = [
        Call("native", orjson.dumps({"input": [place, 1], "return": outputs}))
        for place, outputs in enumerate(asked)
    ]
    bodies = [orjson.loads(result.body) for result in engine_of(Both()).predict_many(calls)]  # type: ignore[union-attr]
    assert [body.get("prediction") for body in bodies] == [1, None, 3, 4]
    assert [body.get("probabilities") for body in bodies] == [None, {"sum": 2}, {"sum": 3}, None]


def test_one_bad_call_fails_alone_and_in_its_place() -> None:
    results = engine_of(Recorder()).predict_many(
        [call([1, 1]), Call("native", b"{"), call([-5, 1]), call([2, 2])]
    )
    assert predictions(results[0]) == [2]
    assert isinstance(results[1], Failure)
    assert results[1].status == 400
    assert isinstance(results[2], Failure)
    assert (results[2].status, results[2].reason) == (500, "ModelError")
    assert results[2].detail == "ValueError: negative"
    assert "Traceback" in (results[2].trace or "")
    assert predictions(results[3]) == [4]


def test_a_model_that_returns_too_few_rows_is_in_error() -> None:
    failure = refused(engine_of(Recorder(), 16), {"inputs": [[1, 1]] * 13})
    assert (failure.status, failure.reason) == (500, "ModelError")
    assert "1 result for 13 rows" in failure.detail


def nested_lists(depth: int) -> Any:
    nested: Any = 1
    for _ in range(depth):
        nested = [nested]
    return nested


@pytest.mark.parametrize("raised", [RecursionError, SystemExit, MemoryError, GeneratorExit])
def test_whatever_a_model_raises_ends_in_its_response(raised: type[BaseException]) -> None:
    class Raising(Recorder):
        def totals(self, inputs: Any) -> list[Any]:
            raise raised

    failure = refused(engine_of(Raising()), {"input": [1, 1]})
    assert (failure.status, failure.detail) == (500, raised.__name__)


def test_a_response_that_cannot_be_written_fails_alone() -> None:
    class Nesting(Recorder):
        def totals(self, inputs: Any) -> list[Any]:
            return [nested_lists(100_000) if row[0] == 7 else 1 for row in inputs]

    results = engine_of(Nesting()).predict_many([call([7, 0]), call([1, 0])])
    assert isinstance(results[0], Failure)
    assert results[0].reason == "ModelError"
    assert predictions(results[1]) == [1]


def test_a_sparse_row_is_written_out_dense_within_bounds(serve: Any) -> None:
    texts = ["one two", "three"]
    engine = serve(models.Trained(HashingVectorizer(n_features=64), texts))
    wanted = HashingVectorizer(n_features=64).transform(texts).toarray().tolist()
    assert predict(engine, {"inputs": texts})["predictions"] == wanted
    wide = serve(models.Trained(HashingVectorizer(n_features=4096), texts), max_batch_rows=4096)
    failure = refused(wide, {"inputs": texts * 1250})
    assert "too many to write out" in failure.detail


def test_real_calls_in_one_batch_return_what_they_return_alone(iris: Engine) -> None:
    rows = models.iris_logistic().rows[::10]
    calls = [Call("native", orjson.dumps({"input": row, "return": ["prediction"]})) for row in rows]
    assert iris.predict_many(calls) == [iris.predict_many([one])[0] for one in calls]


@pytest.mark.parametrize("train", [models.digits_linear_svc, models.diabetes_linear, models.iris_kmeans])
def test_probabilities_of_a_model_that_has_none_are_422(train: Any, serve: Any) -> None:
    trained = train()
    failure = refused(serve(trained), {"input": trained.rows[0], "return": ["probabilities"]})
    assert (failure.status, fields(failure)) == (422, ["return"])


def test_an_unknown_category_is_422_with_the_known_ones(mixed: Engine) -> None:
    row = dict(models.mixed_pipeline().rows[1], shape="oval", ring=9)
    failure = refused(mixed, {"input": row})
    assert fields(failure) == ["input.shape", "input.ring"]
    assert "'long', 'short'" in failure.errors[0]["message"]
    assert "0, 1, 2" in failure.errors[1]["message"]


def test_an_unknown_category_reaches_an_encoder_that_ignores_it(serve: Any) -> None:
    trained = models.mixed_pipeline(unknown="ignore")
    row = dict(trained.rows[1], shape="oval", ring=9)
    wanted = trained.model.predict_proba(trained.data.iloc[[1]].assign(shape="oval", ring=9))[0].tolist()
    response = predict(serve(trained), {"input": row, "return": ["probabilities"]})
    assert list(response["probabilities"].values()) == wanted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64("nan"), b"null"),
        (np.array([np.inf, -np.inf, 1.5]), b"[null,null,1.5]"),
        (np.array([0.1], dtype=np.float32), b"[0.1]"),
        (np.int64(2**62 + 1), b"4611686018427387905"),
        (2**70, b"1180591620717411303424"),
        ([2**70, float("nan")], b"[1180591620717411303424,null]"),
        (np.bool_(True), b"true"),
        (np.str_("a"), b'"a"'),
        (np.datetime64("2024-02-29"), b'"2024-02-29"'),
        (np.array(["a", None, 1], dtype=object), b'["a",null,1]'),
        ({1: np.float64(0.5), "x": (1, b"y")}, b'{"1":0.5,"x":[1,"y"]}'),
    ],
)
def test_responses_are_exact_json(value: Any, text: bytes) -> None:
    assert encode(plain(value)) == text


@pytest.mark.parametrize(
    ("label", "key"),
    [("setosa", "setosa"), (1, "1"), (1.0, "1.0"), (True, "true"), (np.float64(1), "1.0"), (np.int8(1), "1")],
)
def test_a_class_is_a_key_by_its_json_text(label: Any, key: str) -> None:
    assert class_key(label) == key


@pytest.mark.parametrize(
    "values",
    [["a", 1, None, 0.1], [{"é": [1.5]}, [True]], [2**70, "\ud800"], [float("nan"), 1e16]],
)
def test_responses_written_together_are_the_bytes_of_each_alone(values: list[Any]) -> None:
    answers = NativeResponses("iris-é", "v1")
    named = [{"x": 0.25, "y": value} for value in values]
    many = {"prediction": values, "probabilities": named, 'a "b"': values}
    for names in (["prediction"], ["probabilities"], ["prediction", "probabilities"], list(many)):
        outputs = Outputs({name: many[name] for name in names})
        alone = [
            answers.write(Request([[]], single=True, outputs=()), outputs.part(row, row + 1))
            for row in range(len(values))
        ]
        assert answers.write_each(outputs) == alone


def test_a_part_of_the_outputs_lacks_what_was_not_requested() -> None:
    assert Outputs({"prediction": [1, 2, 3]}).part(1, 3) == Outputs({"prediction": [2, 3]})


def test_a_sample_that_names_columns_gives_a_nameless_model_names(serve: Any) -> None:
    trained = models.iris_logistic()
    sample = dict(zip(models.IRIS_FIELDS, trained.rows[0], strict=True))
    engine = serve(trained, {"input": sample})
    assert not engine.signature.positional
    assert (engine.sample, engine.sample_source) == ({"input": sample}, "given")
    assert predict(engine, {"input": dict(reversed(sample.items()))})["prediction"] == "setosa"
    assert fields(refused(engine, {"input": {**sample, "color": 1}})) == ["input.color"]


def test_without_a_sample_one_is_made_from_the_signature(mixed: Engine) -> None:
    assert mixed.sample_source == "synthetic"
    assert mixed.sample is not None
    assert mixed.sample["input"]["shape"] == "long"
    assert predict(mixed, mixed.sample)


class Filling(LogisticRegression):  # type: ignore[misc]  # scikit-learn is untyped
    """It takes missing values and does not tell."""

    def predict(self, rows: Any) -> Any:
        return super().predict(np.nan_to_num(rows))

    def predict_proba(self, rows: Any) -> Any:
        return super().predict_proba(np.nan_to_num(rows))


def test_a_null_in_the_sample_makes_a_column_optional(serve: Any) -> None:
    rows = np.arange(80.0).reshape(20, 4)
    trained = models.Trained(Filling().fit(rows, [0, 1] * 10), rows.tolist())
    engine = serve(trained, {"input": [5.1, None, 1.4, 0.2]})
    assert [column.optional for column in engine.signature.columns or ()] == [False, True, False, False]


@pytest.mark.parametrize(
    ("sample", "reported"),
    [
        ({"input": [1, 2]}, "has 2 values"),
        ({"input": {"a": 1}}, "names 1 field"),
        ({"input": [1, 2, 3, "x"]}, r"input\[3\]"),
        ({"input": "text"}, "must be an object or a list"),
    ],
)
def test_a_sample_that_does_not_fit_is_invalid(sample: Any, reported: str, tmp_path: Any) -> None:
    with pytest.raises(LoadError, match=reported) as caught:
        open_engine(models.save_joblib(models.iris_logistic().model, tmp_path), sample=sample)
    assert caught.value.reason == "SampleInvalid"


def test_a_sample_on_which_the_model_raises_is_reported(tmp_path: Any) -> None:
    path = models.save_joblib(models.iris_logistic().model, tmp_path)
    engine = load(path, "sklearn", {"input": [None, 1, 2, 3]}, model="m", version="v1", max_batch_rows=8)
    with pytest.raises(LoadError, match="ValueError: Input X contains NaN") as caught:
        self_check(engine)
    assert caught.value.reason == "SampleFailed"
