"""Secrets survive a kill at any moment of their writing, and nothing half-written stays."""

from pathlib import Path

import pytest
from modelport_process.start import CannotStart
from modelport_standalone import data_dir


def test_what_was_written_is_read_and_is_its_owners_only(tmp_path: Path) -> None:
    data_dir.write(tmp_path / "keys.json", {"cli": "key"})
    assert data_dir.read(tmp_path / "keys.json") == {"cli": "key"}
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600


def test_a_kill_while_writing_keeps_the_old_content_and_leaves_nothing_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys.json"
    data_dir.write(file, {"cli": "old"})

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", die)
        with pytest.raises(KeyboardInterrupt):
            data_dir.write(file, {"cli": "lost"})
    assert data_dir.read(file) == {"cli": "old"}
    data_dir.write(file, {"cli": "new"})
    assert data_dir.read(file) == {"cli": "new"}
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cli": 1}'])
def test_a_damaged_file_is_named_and_left(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(CannotStart, match=r"keys\.json is damaged"):
        data_dir.read(tmp_path / "keys.json")
    assert (tmp_path / "keys.json").read_text() == content
