"""Every way to save a model gives the same model; what is no model is refused with its reason."""

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import xgboost
from modelport_runtime.core.backends import load
from modelport_runtime.core.types import LoadError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.runtime.unit.core.conftest import open_engine, predict, refused
from tests.support import models


def species(engine: Any, trained: models.Trained) -> list[Any]:
    response: list[Any] = predict(engine, {"inputs": trained.rows})["predictions"]
    return response


# lz4's file flushes what joblib has closed, which Python 3.13 no longer keeps to itself.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("compress", [0, 3, "zlib", "gzip", "bz2", "lzma", "xz", "lz4"])
def test_joblib_in_any_compression(compress: Any, tmp_path: Path) -> None:
    trained = models.iris_logistic()
    option = (compress, 3) if isinstance(compress, str) else compress
    engine = open_engine(models.save_joblib(trained.model, tmp_path, compress=option))
    assert species(engine, trained) == trained.model.predict(trained.data).tolist()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickle_of_any_protocol(protocol: int, tmp_path: Path) -> None:
    trained = models.iris_logistic()
    engine = open_engine(models.save_pickle(trained.model, tmp_path, protocol=protocol))
    assert species(engine, trained) == trained.model.predict(trained.data).tolist()


def test_skops_of_trusted_types(tmp_path: Path) -> None:
    trained = models.iris_logistic()
    engine = open_engine(models.save_skops(trained.model, tmp_path))
    assert species(engine, trained) == trained.model.predict(trained.data).tolist()


def shout(values: Any) -> Any:
    return values


def test_skops_of_other_types_needs_the_callers_trust(tmp_path: Path) -> None:
    data, names = models.iris()
    model = make_pipeline(FunctionTransformer(shout), LogisticRegression(max_iter=300)).fit(data, names)
    path = models.save_skops(model, tmp_path)
    with pytest.raises(LoadError, match=r"shout") as caught:
        load(path, "sklearn", None, model="m", version="v1", max_batch_rows=8)
    assert caught.value.reason == "LoadFailed"
    engine = open_engine(path, trusted=True)
    assert species(engine, models.Trained(model, data)) == model.predict(data).tolist()


@pytest.mark.parametrize("kind", ["json", "ubj"])
def test_native_xgboost_predicts_as_its_wrapper(kind: str, tmp_path: Path) -> None:
    trained = models.iris_xgboost()
    engine = open_engine(models.save_xgboost(trained.model, tmp_path, kind=kind), "xgboost")
    response = predict(engine, {"inputs": trained.rows, "return": ["prediction", "probabilities"]})
    assert response["predictions"] == trained.model.predict(trained.data).tolist()
    given = np.array([list(row.values()) for row in response["probabilities"]], dtype=np.float32)
    assert np.array_equal(given, trained.model.predict_proba(trained.data))
    assert engine.signature.classes == (0, 1, 2)


def test_native_xgboost_of_two_classes_keeps_its_column_names(tmp_path: Path) -> None:
    trained = models.cancer_xgboost_named()
    engine = open_engine(models.save_xgboost(trained.model, tmp_path), "xgboost")
    response = predict(engine, {"inputs": trained.rows, "return": ["prediction", "probabilities"]})
    assert response["predictions"] == trained.model.predict(trained.data).tolist()
    given = np.array([list(row.values()) for row in response["probabilities"]], dtype=np.float32)
    assert np.array_equal(given, trained.model.predict_proba(trained.data))


def test_native_xgboost_regressor(tmp_path: Path) -> None:
    trained = models.diabetes_xgboost()
    engine = open_engine(models.save_xgboost(trained.model, tmp_path), "xgboost")
    given = np.array(predict(engine, {"inputs": trained.rows})["predictions"], dtype=np.float32)
    assert np.array_equal(given, trained.model.predict(trained.data))


def test_a_pickled_booster_is_served_like_a_native_file(tmp_path: Path) -> None:
    trained = models.iris_xgboost()
    engine = open_engine(models.save_pickle(trained.model.get_booster(), tmp_path), "xgboost")
    assert species(engine, trained) == trained.model.predict(trained.data).tolist()


def test_multi_softmax_has_classes_but_no_probabilities(tmp_path: Path) -> None:
    data, names = models.iris()
    labels = np.unique(names, return_inverse=True)[1]
    settings = {"objective": "multi:softmax", "num_class": 3, "nthread": 1}
    booster = xgboost.train(settings, xgboost.DMatrix(data, labels), 3)
    (tmp_path / "model").write_bytes(bytes(booster.save_raw("json")))
    engine = open_engine(tmp_path / "model", "xgboost")
    assert (
        predict(engine, {"inputs": data.tolist()})["predictions"]
        == booster.predict(xgboost.DMatrix(data)).tolist()
    )
    assert engine.signature.outputs == ("prediction",)


@pytest.mark.parametrize("train", [models.iris_lightgbm, models.cancer_lightgbm])
def test_native_lightgbm_predicts_as_its_wrapper(train: Any, tmp_path: Path) -> None:
    trained = train()
    engine = open_engine(models.save_lightgbm(trained.model, tmp_path), "lightgbm")
    response = predict(engine, {"inputs": trained.rows, "return": ["prediction", "probabilities"]})
    classes = trained.model.classes_
    assert [classes[index] for index in response["predictions"]] == trained.model.predict(
        trained.data
    ).tolist()
    given = [list(row.values()) for row in response["probabilities"]]
    assert given == trained.model.predict_proba(trained.data).tolist()


def test_native_lightgbm_knows_its_categories(tmp_path: Path) -> None:
    trained = models.categorical_lightgbm()
    engine = open_engine(models.save_lightgbm(trained.model, tmp_path), "lightgbm")
    assert species(engine, trained) == trained.model.predict(trained.data).tolist()


def test_a_pickled_lightgbm_wrapper_over_categories(tmp_path: Path) -> None:
    trained = models.categorical_lightgbm()
    engine = open_engine(models.save_joblib(trained.model, tmp_path), "lightgbm")
    assert species(engine, trained) == trained.model.predict(trained.data).tolist()


@pytest.mark.parametrize("native", [True, False])
def test_xgboost_over_categories_knows_and_checks_them(native: bool, tmp_path: Path) -> None:
    trained = models.categorical_xgboost()
    save = models.save_xgboost if native else models.save_joblib
    engine = open_engine(save(trained.model, tmp_path), "xgboost")
    given = np.array(species(engine, trained), dtype=np.float32)
    assert np.array_equal(given, trained.model.predict(trained.data))
    failure = refused(engine, {"input": {"shape": "oval", "sepal_length": 5.0, "ring": 1}})
    assert failure.errors == [
        {"field": "input.shape", "message": "is not one of the values that the model knows: 'long', 'short'"}
    ]


@pytest.mark.parametrize(
    ("held", "reported"),
    [
        ({"weights": [1]}, "dict"),
        ([1, 2], "list"),
        (np.arange(3), "ndarray"),
        (LogisticRegression, "class LogisticRegression"),
        (LogisticRegression(), "not fitted"),
        (make_pipeline(LogisticRegression()), "not fitted"),
    ],
)
def test_what_is_no_fitted_model_is_named(held: Any, reported: str, tmp_path: Path) -> None:
    joblib.dump(held, tmp_path / "model")
    with pytest.raises(LoadError, match=reported) as caught:
        open_engine(tmp_path / "model")
    assert caught.value.reason == "NotAModel"


@pytest.mark.parametrize(
    ("framework", "content"),
    [
        ("sklearn", b""),
        ("sklearn", pickle.dumps(models.iris_logistic().model)[:-100]),
        ("sklearn", b"PK\x03\x04 and no more"),
        ("sklearn", b"just some text"),
        ("sklearn", b"\x80\x04\xff."),
        ("onnx", b"\x08\x07 no graph"),
        ("xgboost", b'{"learner": {"attributes": {}'),
        ("lightgbm", b"tree\nversion=v4\n"),
    ],
)
def test_a_broken_file_is_corrupt(framework: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(content)
    with pytest.raises(LoadError) as caught:
        open_engine(tmp_path / "model", framework)
    assert caught.value.reason == "CorruptArtifact"
    assert len(caught.value.message) < 400
