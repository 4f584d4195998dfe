"""preprocess and postprocess around a model file, and classes of a user's own that a pickle names."""

import io
import json
import pickle
import sys
from types import ModuleType
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pytest
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, LoadError, Prediction
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.runtime.unit.core.own_code.conftest import Load
from tests.support import models

ROW = [5.1, 3.5, 1.4, 0.2]
NAMED = dict(zip("abcd", ROW, strict=True))
OF_MINE = """
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

class Half(BaseEstimator, TransformerMixin):
    def fit(self, rows, target=None):
        return self
    def transform(self, rows):
        return np.asarray(rows) / 2

def log(rows):
    return np.log1p(rows)
"""
BY_LIST = "def preprocess(rows):\n    return [[row[name] for name in 'abcd'] for row in rows]\n"


def predict(engine: Engine, **body: Any) -> Any:
    (result,) = engine.predict_many([Call("native", json.dumps(body).encode())])
    return json.loads(result.body) if isinstance(result, Prediction) else result


def saved(model: Any, module: Any = joblib) -> bytes:
    file = io.BytesIO()
    module.dump(model, file)
    return file.getvalue()


@pytest.fixture(scope="module")
def iris() -> models.Trained:
    return models.iris_logistic()


@pytest.mark.parametrize(
    "code",
    [
        BY_LIST,
        "import numpy\ndef preprocess(rows):\n    return numpy.array([list(row.values()) for row in rows])\n",
        "import pandas as pd\ndef preprocess(rows: pd.DataFrame):\n    return rows.to_numpy()\n",
    ],
    ids=["lists", "array", "frame"],
)
def test_preprocess_makes_the_models_rows(load: Load, iris: models.Trained, code: str) -> None:
    engine = load(
        code, NAMED, files={"model.joblib": saved(iris.model)}, framework="sklearn", model="model.joblib"
    )

    answer = predict(engine, input=NAMED, **{"return": ["prediction", "probabilities"]})
    (expected,) = iris.model.predict_proba([ROW])
    assert list(answer["probabilities"].values()) == pytest.approx(expected.tolist())
    assert [each.name for each in engine.signature.columns or ()] == list("abcd")
    assert engine.signature.task == "classifier"


def test_postprocess_gets_the_outputs_that_it_names(load: Load, iris: models.Trained) -> None:
    engine = load(
        "def postprocess(predictions, probabilities):\n"
        "    return {'prediction': [f'class {each}' for each in predictions],\n"
        "            'sure': [max(each.values()) > 0.9 for each in probabilities]}\n",
        files={"model.joblib": saved(iris.model)},
        framework="sklearn",
        model="model.joblib",
    )

    (expected,) = iris.model.predict([ROW])
    answer = predict(engine, input=ROW, **{"return": ["prediction", "sure", "probabilities"]})
    assert (answer["prediction"], answer["sure"]) == (f"class {expected}", True)
    assert len(answer["probabilities"]) == 3
    assert engine.signature.classes is None


def test_an_onnx_file_stands_between_the_functions_too(
    load: Load, iris: models.Trained, tmp_path: Any
) -> None:
    content = models.save_onnx(iris, tmp_path).read_bytes()
    code = f"{BY_LIST}\ndef postprocess(predictions):\n    return [str(each) + '!' for each in predictions]\n"

    engine = load(code, NAMED, files={"iris.onnx": content}, framework="onnx", model="iris.onnx")

    (expected,) = iris.model.predict([ROW])
    assert predict(engine, input=NAMED)["prediction"] == f"{expected}!"


@pytest.mark.parametrize("module", [joblib, pickle, cloudpickle], ids=lambda module: module.__name__)
@pytest.mark.parametrize("named", ["__main__", "prep"])
def test_a_pickle_finds_what_it_names_of_a_script_or_module(
    load: Load, module: Any, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = ModuleType(named)
    monkeypatch.setitem(sys.modules, named, script)
    exec(OF_MINE, vars(script))
    data, target = models.iris()
    trained = make_pipeline(script.Half(), FunctionTransformer(script.log), models.iris_logistic().model)
    content = saved(trained.fit(data, target), module)
    expected = trained.predict_proba(np.array([ROW]))[0].tolist()
    monkeypatch.delitem(sys.modules, named)

    engine = load(
        OF_MINE, ROW, files={"model.pkl": content}, framework="sklearn", entry="prep.py", model="model.pkl"
    )

    answer = predict(engine, input=ROW, **{"return": ["probabilities"]})
    assert list(answer["probabilities"].values()) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("code", "reason", "says"),
    [
        (
            "def postprocess(predictions, scores): return 1",
            "LoadFailed",
            "the model's outputs are prediction",
        ),
        ("def preprocess(rows): return [[1, 2] for row in rows]", "SampleFailed", "does not fit the model"),
        ("def preprocess(rows): return 1", "SampleFailed", "preprocess gave a int"),
        ("def postprocess(predictions): return predictions[:1]", "SampleFailed", "1 result for 2 rows"),
    ],
)
def test_functions_that_do_not_fit_the_model_say_so(
    load: Load, iris: models.Trained, code: str, reason: str, says: str
) -> None:
    with pytest.raises(LoadError) as failed:
        load(code, NAMED, files={"m.joblib": saved(iris.model)}, framework="sklearn", model="m.joblib")

    assert (failed.value.reason, says in failed.value.message) == (reason, True), failed.value
