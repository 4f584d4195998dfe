"""Boosters that older versions of XGBoost and LightGBM saved give their own predictions, or are refused.

`tests/fixtures/other_boosters/generate.sh` makes the files.
"""

import json
import pickle
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMRegressor
from modelport_environments.choice import choose
from modelport_formats.frameworks.xgboost_files import BINARY, VECTOR_LEAVES
from modelport_formats.scan import scan
from modelport_runtime.core import backends
from modelport_runtime.core.compatibility import mend, versions
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, DamagedWhoeverSavedIt, LoadError, Prediction
from modelport_runtime.inspection import inspect
from modelport_runtime.inspection.formats import can_run_code, check_boosters
from modelport_runtime.inspection.libraries import Inspected
from modelport_runtime.worker.failures import explain
from sklearn.ensemble import VotingRegressor
from xgboost import XGBRegressor

FOLDER = Path(__file__).parents[3] / "fixtures/other_boosters"
FILES = sorted(path for path in FOLDER.glob("*-*/*") if path.suffix != ".json")
LOST = [
    path for path in FILES if path.parent.name.startswith("xgboost") and path.stem in ("words", "numbers")
]
ELSEWHERE = [path for path in FILES if path.stem == "leaves" or path.suffix == ".deprecated"]
"""What an environment reads: `tests/standalone/integration/frameworks/test_other_boosters.py`."""
KEPT = [path for path in FILES if path not in (*LOST, *ELSEWHERE)]


def named(path: Path) -> str:
    return f"{path.parent.name}-{path.name}"


def load(path: Path, row: Any) -> Engine:
    found = inspect(path).libraries.found
    check_boosters(path, found)
    framework = path.parent.name.partition("-")[0]
    engine = backends.load(
        path, framework, {"input": row}, model="m", version="1", max_batch_rows=64, found=found
    )
    backends.self_check(engine)
    return engine


def stored(path: Path) -> dict[str, Any]:
    answers: dict[str, Any] = json.loads((path.parent / "answers.json").read_text())[path.stem]
    return answers


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", KEPT, ids=named)
def test_a_booster_of_another_version_gives_its_own_versions_predictions(path: Path) -> None:
    expected = stored(path)
    engine = load(path, expected["rows"][0])

    (response,) = engine.predict_many([Call("native", json.dumps({"inputs": expected["rows"]}).encode())])

    assert isinstance(response, Prediction), response
    given = json.loads(response.body)["predictions"]
    if isinstance(given[0], str):
        assert given == expected["predict"]
    else:
        np.testing.assert_allclose(given, expected["predict"], rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", LOST, ids=named)
def test_categories_that_the_file_has_lost_are_never_taken_for_codes(path: Path) -> None:
    version = path.parent.name.partition("-")[2]

    with pytest.raises(LoadError, match=f"saved with xgboost {version}; xgboost .* is here.*save the model"):
        load(path, stored(path)["rows"][0])


def test_ensembles_hold_wrappers_that_were_never_fitted() -> None:
    rows = np.random.RandomState(0).normal(size=(30, 2))
    model = VotingRegressor([("a", XGBRegressor(n_estimators=2)), ("b", LGBMRegressor(n_estimators=2))])
    model.fit(rows, rows[:, 0])

    assert mend(model, {"scikit-learn": "1.3.2", "xgboost": "2.0.3"}) is model


@pytest.mark.parametrize("path", ELSEWHERE, ids=named)
def test_what_is_not_read_here_is_sent_to_what_reads_it_and_refused_here(path: Path) -> None:
    found = scan(path)
    assert choose(found.versions, found.references, found.traits) == "xgboost-3.0"
    assert can_run_code(path) == (path.suffix != ".ubj")

    with pytest.raises(LoadError, match=r"LibraryMismatch: The model was saved with xgboost 3\.0"):
        load(path, [0.0] * 3)


LEAVES = b'"tree_param":{"size_leaf_vector":"%d"}},"version":[2,0,3]}'
BINARY_LEAVES = (
    b"size_leaf_vectorSL\0\0\0\0\0\0\0\x01%d}}{L\0\0\0\0\0\0\0\x07version[#L\0\0\0\0\0\0\0\x03i\x02i\0i\x03"
)


def files_with(size: int) -> dict[str, bytes]:
    """What is looked for, in files that are no models otherwise."""
    return {
        "json": b"{" + LEAVES % size,
        "ubj": b"{" + BINARY_LEAVES % size,
        "pickle": pickle.dumps(("xgboost.core", bytearray(BINARY_LEAVES % size))),
    }


@pytest.mark.parametrize("form", ["json", "ubj", "pickle"])
def test_trees_that_would_end_the_process_are_refused_before_they_are_read(form: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(files_with(2)[form])
    with pytest.raises(LoadError, match=r"LibraryMismatch: .*xgboost 2\.0\.3; .*several numbers in a leaf"):
        check_boosters(path, inspect(path).libraries.found)

    path.write_bytes(files_with(1)[form])
    check_boosters(path, inspect(path).libraries.found)


@pytest.mark.parametrize("form", ["json", "ubj", "pickle"])
def test_an_upload_learns_of_such_trees(form: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    for size, traits in ((2, {VECTOR_LEAVES}), (1, set())):
        path.write_bytes(files_with(size)[form])
        assert scan(path).traits == traits


BINARY_HEAD = b"binf" + bytes(20) + bytes([1, 0, 0, 0, 7, 0, 0, 0]) + bytes(64)


@pytest.mark.parametrize("here", ["3.0.5", "3.1.3"])
def test_an_earlier_library_reads_such_trees_and_another_one_the_binary_format(
    here: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "installed", lambda _: here)
    leaves, binary = tmp_path / "leaves", tmp_path / "binary"
    leaves.write_bytes(files_with(2)["json"])
    binary.write_bytes(BINARY_HEAD)
    check_boosters(leaves, {"xgboost": "2.0.3"})
    with nullcontext() if here == "3.0.5" else pytest.raises(LoadError, match="binary format"):
        check_boosters(binary, {"xgboost": "1.7"})


def test_the_binary_format_is_refused_by_the_version_in_its_head(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(BINARY_HEAD)
    assert scan(path).traits == {BINARY}

    with pytest.raises(LoadError, match=r"LibraryMismatch: .*xgboost 1\.7; .*binary format"):
        check_boosters(path, inspect(path).libraries.found)


BINARY_GAMMA = BINARY_HEAD.ljust(148, b"\0") + b"reg:gamma" + bytes(64)


@pytest.mark.parametrize(
    ("version", "refused"), [("1.5", True), ("2.0", True), ("2.1", False), ("3.0", False)]
)
def test_gamma_in_the_binary_format_is_refused_of_versions_that_no_later_one_reads(
    version: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "installed", lambda _: "3.0.5")
    path = tmp_path / "model"
    path.write_bytes(BINARY_GAMMA)
    with pytest.raises(LoadError, match=r"binary format of reg:gamma") if refused else nullcontext():
        check_boosters(path, {"xgboost": version})


@pytest.mark.parametrize(("version", "refused"), [("1.5.2", True), ("1.6.2", False)])
def test_pickles_that_hold_the_binary_format_are_refused_before_they_are_read(
    version: str, refused: bool, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    path.write_bytes(pickle.dumps({"model": [0.5]}))
    with pytest.raises(LoadError, match=r"Before 1\.6 pickles hold") if refused else nullcontext():
        check_boosters(path, {"xgboost": version})


def test_a_damaged_binary_file_is_damaged_whichever_version_saved_it(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(BINARY_HEAD)
    with pytest.raises(DamagedWhoeverSavedIt) as raised:
        backends.load(path, "xgboost", None, model="m", version="1", max_batch_rows=64, found={})

    inspected = Inspected({"xgboost": "1.7"}, {"xgboost": "3.0.5"}, ("saved with xgboost 1.7",))
    failed = explain(raised.value, inspected, (), 2**30)

    assert failed.reason == "CorruptArtifact"
    assert "The file is damaged: XGBoost cannot read it" in failed.message


def test_a_wrapper_of_1_6_gets_what_later_ones_have() -> None:
    rows = np.random.RandomState(0).normal(size=(30, 2))
    model = XGBRegressor(n_estimators=2, booster="gblinear").fit(rows, rows[:, 0])
    expected = model.predict(rows)
    del model.feature_types

    mend(model, {"xgboost": "1.6.2"})

    np.testing.assert_array_equal(model.predict(rows), expected)
