"""Upload, the runtime's inspection and the library itself agree on what a file is."""

import io
import pickle
from pathlib import Path
from typing import Any

import pytest
from modelport_control_api.sniff.detect import detect_framework
from modelport_control_api.sniff.errors import CorruptArtifact
from modelport_formats.identify import is_cut_lightgbm
from modelport_runtime.inspection import inspect
from modelport_runtime.inspection.formats import can_run_code

from tests.libs.unit.formats.corpus import COMPRESSIONS, NATIVE, TRAINED, WRAPPED, dumped, lightgbm_text
from tests.runtime.unit.core.conftest import open_engine, predict
from tests.support import models

LIBRARIES = {"sklearn": "scikit-learn", "lightgbm": "lightgbm-format", "onnx": "skl2onnx"}
# Protobuf tags that are opcodes of a pickle, too: such a file is read in a sandbox only.
ALSO_OPCODES = {"onnx, field 5 first", "onnx, field 8 first"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload"


@pytest.mark.parametrize("framework", TRAINED)
@pytest.mark.parametrize("way", WRAPPED)
def test_an_estimator_is_the_same_to_upload_inspection_and_library(
    way: str, framework: str, path: Path
) -> None:
    trained = TRAINED[framework]()
    path.write_bytes(WRAPPED[way](trained.model))

    assert detect_framework(path) == framework
    assert framework in {module.partition(".")[0] for module in inspect(path).references}
    assert can_run_code(path) == (not way.startswith("skops"))
    assert predictions(path, framework, trained) == trained.model.predict(trained.data).tolist()


def predictions(path: Path, framework: str, trained: models.Trained) -> list[Any]:
    engine = open_engine(path, framework, trusted=True, max_batch_rows=150)
    answer: list[Any] = predict(engine, {"inputs": trained.rows})["predictions"]
    return answer


@pytest.mark.parametrize("way", NATIVE)
def test_a_model_in_a_format_of_its_own_is_the_same_to_all(way: str, path: Path) -> None:
    framework, write = NATIVE[way]
    path.write_bytes(write())

    assert detect_framework(path) == framework
    assert can_run_code(path) == (way in ALSO_OPCODES)
    if "no version" not in way and way not in ALSO_OPCODES:
        assert LIBRARIES.get(framework, framework) in inspect(path).libraries.found
    trained = TRAINED["sklearn" if framework == "onnx" else framework]()
    assert predictions(path, framework, trained) == expected(framework, trained)


def expected(framework: str, trained: models.Trained) -> list[Any]:
    if framework == "lightgbm":
        # The file holds no labels.
        found: list[Any] = trained.model.booster_.predict(trained.data).argmax(axis=1).tolist()
        return found
    labels: list[Any] = trained.model.predict(trained.data).tolist()
    return labels


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_what_upload_refuses_as_cut_the_library_cannot_read(
    compression: str, share: float, path: Path
) -> None:
    whole = dumped(TRAINED["sklearn"]().model, COMPRESSIONS[compression])
    assert_cut(path, whole[: int(len(whole) * share)])


def test_a_cut_is_seen_even_where_the_last_byte_looks_like_an_end(path: Path) -> None:
    whole = pickle.dumps(TRAINED["sklearn"]().model)
    ends = [place for place, byte in enumerate(whole) if byte == ord(".")]
    assert len(ends) > 5
    for end in ends[:-1]:
        assert_cut(path, whole[: end + 1])


def test_a_pickle_of_many_opcodes_is_whole(path: Path) -> None:
    path.write_bytes(pickle.dumps(list(range(100)) * 600))
    assert len(path.read_bytes()) < 1 << 18
    assert detect_framework(path) == "sklearn"


@pytest.mark.parametrize("compression", ["bzip2", "xz", "lz4"])
def test_a_stream_whose_end_is_missed_is_cut(compression: str, path: Path) -> None:
    assert_cut(path, dumped(TRAINED["sklearn"]().model, COMPRESSIONS[compression])[:-1])


def assert_cut(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(CorruptArtifact):
        detect_framework(path)
    with pytest.raises((Exception,)):
        open_engine(path)


@pytest.mark.parametrize(
    "way", ["xgboost json", "xgboost json, version first", "xgboost ubj", "lightgbm", "onnx"]
)
def test_half_a_model_in_a_format_of_its_own_is_cut(way: str, path: Path) -> None:
    _, write = NATIVE[way]
    whole = write()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptArtifact, match="cut short"):
        detect_framework(path)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Tree=0\n", True),
        ("end of trees\n", False),
        ("end of trees\n\nparameters:\n[boosting: gbdt]\n", True),
        ("end of trees\n\nparameters:\n[boosting: gbdt]\nend of parameters\n", False),
        ("end of trees\r\n\r\nparameters:\r\n[boosting: gbdt]\r\n", True),
    ],
)
def test_lightgbm_text_is_whole_if_its_trees_and_its_parameters_have_an_end(text: str, cut: bool) -> None:
    assert is_cut_lightgbm(io.BytesIO(text.encode())) == cut


def test_lightgbm_text_may_hold_no_parameters(path: Path) -> None:
    text = lightgbm_text()
    parameters = text[text.index("\nparameters:") : text.index("\nend of parameters")]
    path.write_text(text.replace(parameters, "").replace("\nend of parameters", ""))
    assert detect_framework(path) == "lightgbm"
    open_engine(path, "lightgbm")
