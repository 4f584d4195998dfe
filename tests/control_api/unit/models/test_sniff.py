"""Every kind of model file is recognized by its content, and everything else is refused with its reason."""

import contextlib
import gzip
import io
import json
import lzma
import os
import pickle
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pytest
import skops.io
import xgboost
from modelport_control_api.sniff.detect import detect_framework, normalize_framework
from modelport_control_api.sniff.errors import CorruptArtifact, FrameworkMismatch, UnsupportedFormat
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

SAVED = Path(__file__).parents[3] / "fixtures" / "tensorflow"
COMPRESSIONS = [0, 3, ("zlib", 9), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3), ("lz4", 3)]


@pytest.fixture(scope="module")
def xgb() -> Any:
    features, target = load_iris(return_X_y=True)
    return xgboost.XGBClassifier(n_estimators=2, max_depth=2).fit(features, target)


@pytest.fixture(scope="module")
def lgbm() -> Any:
    features, target = load_iris(return_X_y=True)
    return lightgbm.LGBMClassifier(n_estimators=2, max_depth=2, verbose=-1).fit(features, target)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "upload"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("compress", COMPRESSIONS, ids=str)
def test_joblib_in_every_compression_is_sklearn(
    tmp_path: Path, iris_model: LogisticRegression, compress: Any
) -> None:
    path = tmp_path / "upload"
    joblib.dump(iris_model, path, compress=compress)
    assert detect_framework(path) == "sklearn"


@pytest.mark.parametrize("compress", COMPRESSIONS, ids=str)
def test_joblib_of_an_xgboost_wrapper_is_xgboost(tmp_path: Path, xgb: Any, compress: Any) -> None:
    path = tmp_path / "upload"
    joblib.dump(xgb, path, compress=compress)
    assert detect_framework(path) == "xgboost"


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_of_every_protocol_are_recognized_by_the_class_they_begin_with(
    tmp_path: Path, iris_model: LogisticRegression, xgb: Any, lgbm: Any, protocol: int
) -> None:
    found = [
        detect_framework(written(tmp_path, pickle.dumps(model, protocol=protocol)))
        for model in (iris_model, xgb, lgbm)
    ]
    assert found == ["sklearn", "xgboost", "lightgbm"]


def test_a_pipeline_around_an_xgboost_model_is_sklearn(tmp_path: Path, xgb: Any) -> None:
    assert detect_framework(written(tmp_path, pickle.dumps(make_pipeline(xgb)))) == "sklearn"


def test_skops_files_are_recognized_by_their_schema(
    tmp_path: Path, iris_model: LogisticRegression, lgbm: Any
) -> None:
    assert detect_framework(written(tmp_path, skops.io.dumps(iris_model))) == "sklearn"
    assert detect_framework(written(tmp_path, skops.io.dumps(lgbm))) == "lightgbm"


def test_native_files_are_distinguished_by_framework(
    tmp_path: Path, iris_model: LogisticRegression, xgb: Any, lgbm: Any
) -> None:
    onnx = to_onnx(iris_model, np.zeros((1, 4), dtype=np.float32)).SerializeToString()
    booster = xgb.get_booster()
    contents = {
        "onnx": [onnx],
        "xgboost": [bytes(booster.save_raw("json")), bytes(booster.save_raw("ubj"))],
        "lightgbm": [lgbm.booster_.model_to_string().encode()],
    }
    for framework, files in contents.items():
        for content in files:
            assert detect_framework(written(tmp_path, content)) == framework


def test_a_wrapper_may_be_declared_as_sklearn_and_a_native_file_may_not(tmp_path: Path, xgb: Any) -> None:
    assert detect_framework(written(tmp_path, pickle.dumps(xgb)), "sklearn") == "xgboost"
    native = written(tmp_path, bytes(xgb.get_booster().save_raw("ubj")))
    with pytest.raises(FrameworkMismatch, match=r"model_type is sklearn.*a xgboost model"):
        detect_framework(native, "scikit-learn")


def test_a_declaration_that_contradicts_the_file_names_both(tmp_path: Path, iris_bytes: bytes) -> None:
    with pytest.raises(FrameworkMismatch, match=r"model_type is onnx.*sklearn"):
        detect_framework(written(tmp_path, iris_bytes), "ONNX")


def test_an_unknown_declaration_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="sklearn, onnx, xgboost, lightgbm"):
        normalize_framework("mxnet")


@pytest.mark.parametrize("name", ["flowers.keras", "linear.h5", "counter.zip", "counter.tar.gz"])
@pytest.mark.parametrize("declared", [None, "keras", "TF", "tensorflow"])
def test_files_of_keras_and_tensorflow_are_one_frameworks(name: str, declared: str | None) -> None:
    assert detect_framework(SAVED / name, declared) == "tensorflow"


def zip_with(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


UNSUPPORTED: dict[str, bytes] = {
    "text": b"just some text, no model at all\n",
    "csv whose first letter is an opcode": b"col_a,col_b\n1,2\n3,4\n",
    "json": json.dumps({"a": 1}).encode(),
    "npy": b"\x93NUMPY" + bytes(100),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "zeros": bytes(5000),
    "random": bytes(range(1, 256)) * 20,
    "zip of something else": zip_with("hello.txt", b"hello"),
    "gzipped text": gzip.compress(b"hello, this is text"),
    "html": b"<html><body>404</body></html>",
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_is_no_model_is_unsupported(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsupportedFormat):
        detect_framework(written(tmp_path, UNSUPPORTED[name]))


def damaged(model: Any, lgbm: Any, xgb: Any) -> dict[str, bytes]:
    whole = pickle.dumps(model)
    ubj = bytes(xgb.get_booster().save_raw("ubj"))
    onnx = to_onnx(model, np.zeros((1, 4), dtype=np.float32)).SerializeToString()
    zipped = skops.io.dumps(model)
    return {
        "empty": b"",
        "half a pickle": whole[: len(whole) // 2],
        "two bytes of a pickle": whole[:2],
        "half a ubj": ubj[: len(ubj) // 2],
        "half an onnx": onnx[: len(onnx) // 2],
        "half a zip": zipped[: len(zipped) // 2],
        "gzip header alone": gzip.compress(whole)[:12],
        "gzip of half a pickle": gzip.compress(whole[:20]),
        "damaged zlib": zlib.compress(whole)[:2] + b"\xff" * 50,
        "damaged xz": lzma.compress(whole)[:20] + bytes(50),
        "zip with broken schema": zip_with("schema.json", b"not json"),
    }


def test_what_is_cut_or_damaged_is_corrupt(
    tmp_path: Path, iris_model: LogisticRegression, lgbm: Any, xgb: Any
) -> None:
    for name, content in damaged(iris_model, lgbm, xgb).items():
        with pytest.raises(CorruptArtifact):
            pytest.fail(f"{name}: {detect_framework(written(tmp_path, content))}")


class Hostile:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch pwned",)


def test_a_hostile_pickle_is_read_and_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for content in (
        pickle.dumps(Hostile()),
        gzip.compress(pickle.dumps(Hostile())),
        pickle.dumps(Hostile(), 0),
    ):
        assert detect_framework(written(tmp_path, content)) == "sklearn"
    assert [path.name for path in tmp_path.iterdir()] == ["upload"]


@pytest.mark.parametrize(
    "bomb",
    [
        gzip.compress(b"\x80\x04" + bytes(200_000_000), 9),
        lzma.compress(b"\x80\x04" + b"N" * 50_000_000),
        b"\x80\x04" + b"(" * 20_000_000 + b".",
        b"\x80\x04\x8e" + (1 << 62).to_bytes(8, "little") + b".",
        b"\x80\x04X\xff\xff\xff\x7f.",
    ],
    ids=["gzip", "xz", "opcodes", "huge bytes", "huge string"],
)
def test_a_bomb_costs_little(tmp_path: Path, bomb: bytes) -> None:
    path = written(tmp_path, bomb)
    started = time.process_time()
    with contextlib.suppress(CorruptArtifact, UnsupportedFormat):
        detect_framework(path)
    assert time.process_time() - started < 2
