"""The version that saved a file is found however it was pickled; where it is not, it is heard at loading."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn.base
import xgboost
from modelport_runtime.core.backends import model_file
from modelport_runtime.core.compatibility import reading
from modelport_runtime.core.types import LoadError
from modelport_runtime.inspection import inspect
from modelport_runtime.inspection.formats import check_boosters
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression

ROWS = np.random.RandomState(0).normal(size=(40, 3))


@pytest.fixture
def of_old(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A model that calls itself saved with 1.3.2."""
    monkeypatch.setattr(sklearn.base, "__version__", "1.3.2")
    return LogisticRegression().fit(ROWS, ROWS[:, 0] > 0)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("plain", [True, False], ids=["C", "Python"])
def test_the_version_is_found_in_every_protocol(
    protocol: int, plain: bool, of_old: Any, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    with path.open("wb") as file:
        (pickle.Pickler if plain else pickle._Pickler)(file, protocol).dump(of_old)

    assert inspect(path).libraries.found["scikit-learn"] == "1.3.2"


@pytest.mark.parametrize("compression", ["zlib", "gzip", "bz2", "xz", "lzma", "lz4"])
def test_the_version_is_found_in_every_compression(compression: str, of_old: Any, tmp_path: Path) -> None:
    path = tmp_path / "model"
    joblib.dump(of_old, path, compress=(compression, 3))

    assert inspect(path).libraries.found["scikit-learn"] == "1.3.2"


def test_a_frame_may_begin_between_name_and_version(of_old: Any, tmp_path: Path) -> None:
    path = tmp_path / "model"
    text = pickle.dumps(of_old, 4)
    at = text.index(b"\x8c\x051.3.2")
    path.write_bytes(text[:at] + b"\x95" + (len(text) - at).to_bytes(8, "little") + text[at:])

    assert inspect(path).libraries.found["scikit-learn"] == "1.3.2"


class Noted:
    """Names the version first, so that the pickle refers to it where it is looked for."""

    def __init__(self, model: Any, version: str) -> None:
        self.version, self.model = version, model

    def predict(self, rows: Any) -> Any:
        return self.model.predict_proba(rows)[:, 1]


def test_a_version_that_only_scikit_learn_sees_is_mended_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    version = "1.3.2"
    model = LogisticRegression().fit(ROWS, ROWS[:, 0] > 0)
    model.multi_class = "multinomial"
    path = tmp_path / "model"
    with monkeypatch.context() as patched:
        patched.setattr(sklearn.base, "__version__", version)
        path.write_bytes(pickle.dumps(Noted(model, version)))
    found = inspect(path).libraries.found

    read = model_file.read(path, trusted=True, found=found)

    assert "scikit-learn" not in found
    score = model.decision_function(ROWS)
    np.testing.assert_allclose(read.predict(ROWS), 1 / (1 + np.exp(-2 * score)))


def test_a_part_without_a_version_is_older_than_any_that_is_known(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(
        pickle.dumps(TfidfTransformer().fit(ROWS**2)).replace(b"_sklearn_version", b"_sklearn_versian")
    )

    with pytest.raises(LoadError, match=r"LibraryMismatch: .*scikit-learn 0\.18; .* is here"):
        model_file.read(path, trusted=True, found={})


@pytest.mark.parametrize("scorer", ["_PredictScorer", "_ProbaScorer", "_ThresholdScorer"])
def test_scorers_of_old_searches_are_read_though_they_are_no_more(scorer: str) -> None:
    with reading({"scikit-learn": "1.3.2"}):
        kind = pickle.loads(f"csklearn.metrics._scorer\n{scorer}\n.".encode())

    assert isinstance(kind(), object)


def booster(**settings: Any) -> Any:
    model = xgboost.XGBClassifier(n_estimators=2, **settings).fit(ROWS, (ROWS[:, 0] > 0).astype(int))
    return model.get_booster()


def saved_by(release: tuple[int, int, int], leaf: int = 1) -> bytes:
    """A booster as an older version would have written it, as far as it is looked at."""
    text = bytes(booster().save_raw("ubj"))
    number = b"".join(b"i" + bytes([part]) for part in release)
    here = b"".join(b"i" + bytes([int(part)]) for part in xgboost.__version__.split("."))
    assert here in text
    return text.replace(here, number).replace(b"size_leaf_vectorSL\0\0\0\0\0\0\0\x011", LEAF % leaf)


LEAF = b"size_leaf_vectorSL\0\0\0\0\0\0\0\x01%d"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_vector_leaves_are_seen_in_every_pickle_however_long(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "model"
    long = bytearray(bytes(3 << 20) + saved_by((2, 0, 3), 2))
    path.write_bytes(pickle.dumps(("xgboost.core", long), protocol))

    with pytest.raises(LoadError, match=r"xgboost 2\.0\.3; .*several numbers in a leaf"):
        check_boosters(path, inspect(path).libraries.found)


def test_boosters_in_skops_files_are_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", '{"__class__": "XGBClassifier", "__module__": "xgboost.sklearn"}')
        archive.writestr("0.bin", saved_by((2, 0, 3), 2))

    with pytest.raises(LoadError, match=r"xgboost 2\.0\.3; .*several numbers in a leaf"):
        check_boosters(path, inspect(path).libraries.found)


@pytest.mark.parametrize("release", [(3, 99, 0), (4, 0, 0)])
def test_boosters_of_newer_versions_are_refused(release: tuple[int, int, int], tmp_path: Path) -> None:
    path = tmp_path / "model.ubj"
    path.write_bytes(saved_by(release))

    with pytest.raises(LoadError, match=r"LibraryMismatch: .*What newer versions would predict"):
        check_boosters(path, inspect(path).libraries.found)
