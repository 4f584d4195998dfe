"""Versions and modules are found without loading, in every format and compression."""

import pickle
import re
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import onnx
import pytest
import sklearn
import xgboost
from modelport_runtime.core.types import LoadError
from modelport_runtime.inspection import inspect, libraries
from modelport_runtime.inspection.formats import can_run_code
from modelport_runtime.inspection.libraries import check_modules

from tests.support import models

COMPRESSIONS: list[Any] = [0, 3, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3), ("lz4", 3)]


@pytest.mark.parametrize("compress", COMPRESSIONS, ids=str)
def test_scikit_learns_version_is_found_in_a_joblib_file(compress: Any, tmp_path: Path) -> None:
    path = models.save_joblib(models.iris_forest().model, tmp_path, compress=compress)

    found = inspect(path)

    assert found.libraries.found == {"scikit-learn": sklearn.__version__}
    assert found.libraries.differences == ()
    assert "sklearn.ensemble._forest" in found.references


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_scikit_learns_version_is_found_in_every_binary_protocol(protocol: int, tmp_path: Path) -> None:
    path = models.save_pickle(models.iris_logistic().model, tmp_path, protocol=protocol)

    found = inspect(path)

    assert found.libraries.found == {"scikit-learn": sklearn.__version__}
    assert "sklearn.pipeline" in found.references


def test_another_version_is_a_difference_in_words(tmp_path: Path) -> None:
    path = saved_with("1.2.2", tmp_path)

    assert inspect(path).libraries.differences == (
        f"The model was saved with scikit-learn 1.2.2; scikit-learn {sklearn.__version__} is here.",
    )


def saved_with(version: str, folder: Path) -> Path:
    """Forge the version that a model says it was saved with."""
    data = pickle.dumps(models.iris_logistic().model)
    here = sklearn.__version__.encode()
    forged = data.replace(
        b"\x8c" + bytes([len(here)]) + here, b"\x8c" + bytes([len(version)]) + version.encode()
    )
    path = folder / "model"
    path.write_bytes(re.sub(rb"^(\x80.)\x95.{8}", rb"\1", forged, flags=re.DOTALL))
    return path


def test_a_skops_file_names_its_version_and_types(tmp_path: Path) -> None:
    found = inspect(models.save_skops(models.iris_logistic().model, tmp_path))

    assert found.libraries.found == {"scikit-learn": sklearn.__version__}
    assert "sklearn.pipeline" in found.references


@pytest.mark.parametrize("kind", ["json", "ubj"])
def test_xgboosts_own_files_tell_their_version(kind: str, tmp_path: Path) -> None:
    found = inspect(models.save_xgboost(models.iris_xgboost().model, tmp_path, kind=kind))

    assert found.libraries.found == {"xgboost": xgboost.__version__}
    assert found.libraries.here == {"xgboost": xgboost.__version__}


def test_a_pickled_xgboost_wrapper_names_its_version(tmp_path: Path) -> None:
    found = inspect(models.save_joblib(models.iris_xgboost().model, tmp_path))

    assert found.libraries.found["xgboost"] == xgboost.__version__


def test_a_lightgbm_file_names_its_format_only(tmp_path: Path) -> None:
    assert lightgbm.__version__
    found = inspect(models.save_lightgbm(models.iris_lightgbm().model, tmp_path))

    assert found.libraries.found == {"lightgbm-format": "v4"}
    assert found.libraries.differences == ()


def test_an_onnx_file_names_its_producer(tmp_path: Path) -> None:
    found = inspect(models.save_onnx(models.iris_logistic(), tmp_path))

    assert "skl2onnx" in found.libraries.found


def test_of_catboosts_description_of_its_build_the_release_is_kept(tmp_path: Path) -> None:
    graph = onnx.load(models.save_onnx(models.iris_logistic(), tmp_path))
    graph.producer_name = "CatBoost"
    graph.producer_version = "Git info:\n    Commit: b1bd2a6\n    Summary: CatBoost release 1.2.10. more\n"
    onnx.save(graph, tmp_path / "build.onnx")

    assert inspect(tmp_path / "build.onnx").libraries.found == {"CatBoost": "1.2.10"}


@pytest.mark.parametrize(
    "content", [b"", b"\x80", b"PK\x03\x04rubbish", b"{", b"\x1f\x8b\x08", b"\x78\x9cxx"]
)
def test_a_broken_file_names_no_libraries(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(content)

    assert inspect(path).libraries.found == {}


def test_a_small_file_that_unpacks_to_much_is_given_up_on(tmp_path: Path) -> None:
    path = tmp_path / "model"
    joblib.dump(bytes(1 << 28), path, compress=("zlib", 1))

    assert inspect(path).libraries.found == {}


def test_only_known_formats_without_code_may_be_read_unisolated(tmp_path: Path) -> None:
    trained = models.iris_xgboost()
    folder = tmp_path

    assert not can_run_code(models.save_xgboost(trained.model, folder))
    assert not can_run_code(models.save_skops(models.iris_logistic().model, folder))
    assert not can_run_code(models.save_onnx(models.iris_logistic(), folder))
    for compress in COMPRESSIONS:
        assert can_run_code(models.save_joblib(trained.model, folder, compress=compress))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["pandas", "pyarrow.lib", "no_such_models.results"], r"'no_such_models\.results'.*not have\.$"),
        (["pandas", "pyarrow.lib"], r"'pyarrow\.lib'.*pandas keeps texts in it.*astype\(object\)"),
    ],
)
def test_the_models_own_module_is_named_before_those_of_its_tables(
    names: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, "is_here", lambda module: module == "pandas")
    with pytest.raises(LoadError, match=said) as raised:
        libraries.check_modules(dict.fromkeys(names, "name"))
    assert raised.value.reason == "MissingModule"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_protocol_that_names_modules_as_python_2_did_lacks_none(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(pickle.dumps((models.iris_forest().model, getattr), protocol=protocol))
    libraries.check_modules(inspect(path).references)


def test_of_a_library_that_is_in_an_environment_alone_its_model_is_to_be_saved_alone() -> None:
    named = {"sklearn.pipeline": "Pipeline", "catboost.core": "CatBoostClassifier"}
    with pytest.raises(LoadError, match=r"has no scikit-learn: save the catboost model alone") as raised:
        check_modules(named, lambda module: not module.startswith("catboost"))
    assert raised.value.reason == "MissingModule"
    with pytest.raises(LoadError, match=r"'theirs\.steps', which this runtime does not have\.$"):
        check_modules({"theirs.steps": "Step"}, lambda module: False)
