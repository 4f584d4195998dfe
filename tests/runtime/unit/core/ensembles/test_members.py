"""Which members go together, in which columns, and what is said of those that do not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from modelport_formats.ensembles import MANIFEST
from modelport_formats.errors import FormatError
from modelport_formats.identify import format_of, identify
from modelport_formats.packed import unpacked
from modelport_formats.signatures import Format
from modelport_runtime.core.types import LoadError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.runtime.unit.core.conftest import fields, predict, refused
from tests.runtime.unit.core.ensembles.conftest import Load, loaded
from tests.support import models
from tests.support.ensembles import Part, archive, fetched
from tests.support.own_code import archive as code_archive

Fails = Callable[..., str]
NAMED = models.iris_logistic_named()


def part(trained: models.Trained, **more: Any) -> Part:
    return Part(trained.model, **more)


def test_frameworks_are_mixed_and_the_strictest_reads_the_row(load: Load, tmp_path: Path) -> None:
    frame, species = models.iris_frame(), models.iris()[1]
    codes = np.unique(species, return_inverse=True)[1]
    (tmp_path / "other").mkdir()
    import lightgbm
    import xgboost

    spaced = frame.rename(columns=lambda name: name.replace("_", " "))
    logistic = make_pipeline(StandardScaler(), LogisticRegression()).fit(spaced, codes)
    trees = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(spaced, codes)
    boosted = xgboost.XGBClassifier(n_estimators=3).fit(spaced, codes)
    onnx = models.save_onnx(
        models.Trained(
            make_pipeline(StandardScaler(), LogisticRegression()).fit(frame.to_numpy(), codes),
            frame.to_numpy(),
        ),
        tmp_path,
        zipmap=False,
    ).read_bytes()
    parts = [
        Part(logistic),
        Part(models.save_lightgbm(trees, tmp_path / "other"), "lightgbm"),
        Part(bytes(boosted.get_booster().save_raw("ubj")), "xgboost"),
        Part(onnx, "onnx"),
    ]

    engine = load("average", parts)

    assert [column.name for column in engine.signature.columns or ()] == [*spaced.columns]
    assert {column.dtype for column in engine.signature.columns or ()} == {"float32"}
    rows = spaced.to_dict("records")
    answer = predict(engine, {"inputs": rows, "return": ["prediction", "probabilities"]})
    expected = np.mean([each.predict_proba(spaced) for each in (logistic, trees, boosted, logistic)], axis=0)
    shares = np.array([[*row.values()] for row in answer["probabilities"]])
    np.testing.assert_allclose(shares, expected, atol=1e-6)
    assert answer["predictions"] == expected.argmax(axis=1).tolist()
    assert fields(refused(engine, {"input": rows[0] | {"sepal length": 1e300}})) == ["input.sepal length"]
    assert {"onnxruntime", "xgboost", "lightgbm", "scikit-learn"} <= engine.libraries_here.keys()


def test_a_member_may_have_code_of_its_own(load: Load) -> None:
    code = "class Model:\n    classes = ['setosa', 'versicolor', 'virginica']\n    def predict(self, rows):\n"
    code += "        return {'prediction': ['virginica'] * len(rows), 'probabilities': [{'setosa': 0, "
    code += "'versicolor': 0, 'virginica': 1}] * len(rows)}\n"
    row = NAMED.rows[0]
    own = Part(code_archive({"model.py": code}), "python", weight=3, sample=row)

    engine = load("vote", [part(NAMED), own])

    answer = predict(engine, {"input": row, "return": ["prediction", "probabilities"]})
    assert answer["prediction"] == "virginica"
    assert answer["probabilities"]["virginica"] == pytest.approx(0.75, abs=0.01)


def test_members_take_the_union_of_their_columns(load: Load) -> None:
    frame, target = models.iris_frame(), models.iris_frame()["petal_width"]
    short = Ridge().fit(frame[["sepal_length", "sepal_width"]], target)
    other = Ridge().fit(frame[["petal_length", "sepal_width"]], target)

    engine = load("average", [Part(short), Part(other)])

    names = [column.name for column in engine.signature.columns or ()]
    assert names == ["sepal_length", "sepal_width", "petal_length"]
    expected = (
        short.predict(frame[short.feature_names_in_]) + other.predict(frame[other.feature_names_in_])
    ) / 2
    answer = predict(engine, {"inputs": frame[names].to_dict("records")})["predictions"]
    np.testing.assert_allclose(answer, expected, atol=1e-9)


def test_members_that_do_not_go_together_are_told(fails: Fails) -> None:
    iris, texts = part(models.iris_logistic()), part(models.text_classifier())
    digits = part(models.digits_linear_svc())
    halves = LogisticRegression(max_iter=500).fit(models.iris_frame(), np.arange(150) % 2)
    ridge = Part(Ridge().fit(*_numbers()))

    assert "Texts are what b v1 takes" in fails("vote", [iris, texts])
    assert "a v1 takes 4 values a row, and b v1 64" in fails("vote", [iris, digits])
    message = fails("vote", [part(NAMED), Part(halves)])
    assert "a v1 alone has setosa, versicolor, virginica; b v1 alone has 0, 1" in message
    assert "a v1 is a classifier, and b v1 a regressor" in fails("average", [iris, ridge])
    assert "b v1 has no classes: it is a regressor" in fails("vote", [iris, ridge])
    assert "a v1 gives no probabilities to average" in fails("average", [digits, digits])


def _numbers() -> tuple[Any, Any]:
    data, _ = models.iris()
    return data, data[:, 0]


def test_a_column_that_members_take_otherwise_is_told(fails: Fails) -> None:
    frame = pd.DataFrame({"size": ["s", "m", "l"] * 10, "age": range(30)})
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder

    target = np.arange(30) % 2
    encode = make_column_transformer((OneHotEncoder(), ["size"]), remainder="passthrough")
    texts = make_pipeline(encode, LogisticRegression()).fit(frame.astype({"size": object}), target)
    numbers = LogisticRegression().fit(frame.assign(size=1.5), target)
    message = fails("vote", [Part(texts), Part(numbers)])
    assert "The members take 'size' otherwise: a v1 knows 'l', 'm', 's' and b v1 takes a number." in message


def test_what_does_not_follow_in_a_chain_is_told(fails: Fails) -> None:
    scaler = part(models.iris_scaler())
    digits = part(models.digits_linear_svc())
    assert "What a v1 predicts does not fit b v1" in fails("chain", [scaler, digits])
    assert "Nobody behind a v1 takes its prediction" in fails(
        "chain", [part(NAMED, name="segment"), part(NAMED)]
    )
    message = fails("stack", [part(NAMED, name="iris")], part(models.digits_linear_svc()))
    assert "The final, final v1, takes 64 values a row, and would get 3." in message
    assert "iris_setosa, iris_versicolor, iris_virginica" in message


def test_a_member_that_does_not_load_is_named(fails: Fails) -> None:
    message = fails("vote", [part(NAMED), Part(b"\x80\x04]\x94.")], reason="NotAModel")
    assert message.startswith("Of b v1: ")


def test_an_archive_that_was_changed_is_refused_whole(tmp_path: Path) -> None:
    whole = archive("vote", [part(NAMED), part(NAMED)])
    path = fetched(tmp_path, whole)
    assert format_of(path) == identify(path).format == Format.ENSEMBLE
    for change in ({"join": "sum"}, {"members": []}, {"members": [3]}, {"final": {}}):
        text = json.loads((unpacked(path) / MANIFEST).read_text()) | change
        from modelport_formats.ensembles.manifest import from_json

        with pytest.raises(FormatError):
            from_json(json.dumps(text).encode())
    (tmp_path / "cut").mkdir()
    cut = fetched(tmp_path / "cut", whole[:-30])
    with pytest.raises(LoadError, match="CorruptArtifact"):
        loaded(cut)


def test_a_sample_names_columns_that_have_no_names(load: Load, fails: Fails) -> None:
    parts = [part(models.iris_logistic()), part(models.iris_forest())]
    row = dict(zip(models.IRIS_FIELDS, models.iris()[0][0].tolist(), strict=True))

    engine = load("average", parts, sample=row)

    assert [column.name for column in engine.signature.columns or ()] == [*row]
    assert engine.sample == {"input": row}
    assert predict(engine, {"input": row}) == {"model": "both", "version": "v1", "prediction": "setosa"}
    body = {"inputs": [{"name": name, "shape": [1], "datatype": "FP64", "data": [1.0]} for name in row]}
    assert predict(engine, body, "v2")["outputs"][0]["data"] == ["versicolor"]
    message = fails("average", parts, sample={**row, "more": 1}, reason="SampleInvalid")
    assert "names 5 fields, but the model takes 4" in message
    message = fails("average", [part(NAMED), part(NAMED)], sample={"a": 1}, reason="SampleInvalid")
    assert "sepal_length is missing" in message


def test_texts_are_for_all_members(load: Load) -> None:
    texts = models.text_classifier()

    engine = load("vote", [part(texts), part(texts), part(texts)])

    answer = predict(engine, {"inputs": texts.rows})["predictions"]
    assert answer == texts.model.predict(texts.data).tolist()
    assert fields(refused(engine, {"input": 3})) == ["input"]


def test_missing_values_are_taken_where_all_members_take_them(load: Load) -> None:
    gaps = models.iris_boosting_with_gaps()
    row = [*gaps.rows[0][:3], None]

    answer = predict(load("average", [part(gaps), part(gaps)]), {"input": row, "return": ["probabilities"]})
    expected = gaps.model.predict_proba([[*row[:3], np.nan]])[0]
    np.testing.assert_allclose([*answer["probabilities"].values()], expected)
    engine = load("average", [part(gaps), part(models.iris_logistic())])
    assert fields(refused(engine, {"input": row})) == ["input[3]"]
