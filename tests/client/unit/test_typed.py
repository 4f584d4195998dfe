"""Commands are printed as they can be typed in the current folder."""

from pathlib import Path

import pytest
from modelport.cli.typed import command, typed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current one, with an environment in it that is not on the PATH."""
    binary = tmp_path / ".venv" / "bin" / "modelport"
    binary.parent.mkdir(parents=True)
    binary.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(binary), "up"])
    monkeypatch.setattr("sys.executable", str(binary.with_name("python")))
    monkeypatch.setenv("PATH", "/nowhere")
    return tmp_path


def test_a_command_in_this_folder_is_named_by_its_relative_path(folder: Path) -> None:
    assert command() == ".venv/bin/modelport"


def test_a_command_elsewhere_is_named_by_its_whole_path(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert command() == f"{folder}/.venv/bin/modelport"


def test_a_command_on_the_path_is_named_by_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder / ".venv" / "bin"))
    assert command() == "modelport"


def test_python_dash_m_is_named_as_it_was_typed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", [str(folder / "site-packages" / "modelport" / "__main__.py"), "up"])
    assert command() == ".venv/bin/python -m modelport"


def test_python_dash_m_on_the_path_is_python(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".venv" / "bin" / "modelport").rename(folder / ".venv" / "bin" / "python")
    (folder / ".venv" / "bin" / "python").chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(folder / "modelport" / "__main__.py"), "up"])
    monkeypatch.setenv("PATH", str(folder / ".venv" / "bin"))
    assert command() == "python -m modelport"


def test_a_path_with_a_space_is_quoted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", [str(folder / "my env" / "modelport")])
    assert command() == "'my env/modelport'"


def test_another_program_that_imports_the_command_prints_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/pytest"])
    assert typed("list") == "`modelport list`"
