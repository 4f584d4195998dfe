"""Functions of `jax.export` are recognized without JAX, which the platform has not installed."""

from pathlib import Path

import pytest
from modelport_control_api.models.artifact import ending_of
from modelport_control_api.sniff.detect import detect_framework
from modelport_control_api.sniff.errors import CorruptArtifact, UnsupportedFormat
from modelport_environments.choice import environment_of
from modelport_formats.frameworks.jax_files import is_exported
from modelport_formats.identify import format_of
from modelport_formats.signatures import Format
from modelport_runtime.inspection.formats import can_run_code

SAVED = Path(__file__).parents[3] / "fixtures" / "jax"
MODELS = sorted(path for path in SAVED.glob("*.jaxexport") if path.stem != "elsewhere")


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_function_is_jaxs_and_read_in_a_sandbox_only(path: Path) -> None:
    assert detect_framework(path) == detect_framework(path, "jax") == "jax"
    assert format_of(path) is Format.JAX
    assert can_run_code(path)
    assert ending_of(path.read_bytes()) == "jaxexport"
    assert environment_of("jax") == "jax-0.10"


def test_one_of_another_platform_is_refused_with_the_cure() -> None:
    assert len(MODELS) == 6
    with pytest.raises(UnsupportedFormat, match=r'for cuda, tpu alone\. Export it .* platforms=\("cpu",\)'):
        detect_framework(SAVED / "elsewhere.jaxexport")


@pytest.mark.parametrize("left", [1, 4, 1000])
def test_one_that_was_cut_is_refused_at_the_upload(left: int, tmp_path: Path) -> None:
    content = (SAVED / "network.jaxexport").read_bytes()
    path = tmp_path / "model"
    path.write_bytes(content[:-left])
    with pytest.raises(CorruptArtifact, match=r"function of jax\.export and is cut short"):
        detect_framework(path)


def test_no_damage_does_more_than_refuse(tmp_path: Path) -> None:
    """Every byte of the table in turn, and offsets that lead out of the file."""
    content = (SAVED / "network.jaxexport").read_bytes()
    path = tmp_path / "model"
    for place in range(200):
        for wrong in (b"\0", b"\xff", b"\x7f"):
            damaged = content[:place] + wrong + content[place + 1 :]
            path.write_bytes(damaged)
            try:
                assert detect_framework(path) in ("jax", "onnx", "sklearn")
            except (UnsupportedFormat, CorruptArtifact):
                continue


@pytest.mark.parametrize("content", [b"", b"<", b"<\0\0\0", b"\xff" * 80, bytes(80), b"<\0\0\0" * 40])
def test_nothing_else_is_taken_for_one(content: bytes) -> None:
    assert not is_exported(content)


def test_no_other_fixture_is_taken_for_one() -> None:
    others = [path for path in SAVED.parent.rglob("*") if path.is_file() and path.parent != SAVED]
    assert len(others) > 100
    for path in others:
        assert not is_exported(path.read_bytes()), path
