"""CatBoost's files are recognized without CatBoost, which the platform has not installed."""

import gzip
import json
from pathlib import Path

import pytest
from modelport_control_api.models.artifact import ending_of
from modelport_control_api.sniff.detect import detect_framework
from modelport_control_api.sniff.errors import CorruptArtifact, UnsupportedFormat
from modelport_runtime.inspection import inspect
from modelport_runtime.inspection.formats import can_run_code

SAVED = Path(__file__).parents[3] / "fixtures" / "catboost"
MODELS = sorted(SAVED.glob("*.cbm"))


@pytest.mark.parametrize("path", [*MODELS, SAVED / "visits.joblib"], ids=lambda path: path.name)
def test_a_file_is_catboosts_by_its_own_format_or_its_class(path: Path) -> None:
    assert detect_framework(path) == detect_framework(path, "catboost") == "catboost"
    assert can_run_code(path)


def test_a_file_names_its_release_and_gets_its_ending_back() -> None:
    assert len(MODELS) == 10
    for path in MODELS:
        assert inspect(path).libraries.found == {"catboost": "1.2.10"}
        assert ending_of(path.read_bytes()) == "cbm"


@pytest.mark.parametrize("size", [4, 7, 8, 100, 6000])
def test_a_file_that_was_cut_is_refused_at_the_upload(size: int, tmp_path: Path) -> None:
    path = tmp_path / "model.cbm"
    path.write_bytes((SAVED / "visits.cbm").read_bytes()[:size])
    with pytest.raises(CorruptArtifact, match="begins as a CatBoost model and is cut short"):
        detect_framework(path)


def test_a_compressed_one_is_to_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "visits.cbm.gz"
    path.write_bytes(gzip.compress((SAVED / "visits.cbm").read_bytes()))
    with pytest.raises(UnsupportedFormat, match="Only pickles may be compressed: unpack the file"):
        detect_framework(path)


@pytest.mark.parametrize("key", ["features_info", "ctr_data"])
def test_its_json_is_to_be_saved_as_its_own_format(key: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps({key: {}}, indent=2), encoding="utf-8")
    with pytest.raises(
        UnsupportedFormat, match=r"CatBoost model in JSON; save it as \.cbm: model\.save_model"
    ):
        detect_framework(path)
    path.write_text(json.dumps({"other": {key: 1}}), encoding="utf-8")
    with pytest.raises(UnsupportedFormat, match="no model file that Modelport knows"):
        detect_framework(path)
