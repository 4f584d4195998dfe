"""Code of a user's own as one file: recognized by its text, written canonically, unpacked in bounds."""

import io
import json
import random
import zipfile
from pathlib import Path

import pytest
from modelport_formats.errors import FormatError, UnknownFormat
from modelport_formats.identify import format_of, identify
from modelport_formats.own_code import MANIFEST
from modelport_formats.own_code.archive import unpack
from modelport_formats.signatures import Format

from tests.support.own_code import archive

MODEL = '"""Mine."""\n\nclass Model:\n    def predict(self, rows):\n        return rows\n'


def zipped(files: dict[str, str | bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return file.getvalue()


def manifest(entry: object = "model.py", model: object = None) -> str:
    return json.dumps({"entry": entry, "model": model})


def test_the_same_parts_are_the_same_bytes_in_any_order() -> None:
    files = {"model.py": MODEL, "sub/b.py": "B = 1", "a.txt": "x", "model.bin": b"\0\1"}
    shuffled = list(files.items())
    random.Random(3).shuffle(shuffled)

    assert archive(files, model="model.bin") == archive(dict(shuffled), model="model.bin")
    assert archive(files) != archive(files | {"a.txt": "y"})


def test_what_was_written_is_unpacked_read_only(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(archive({"model.py": MODEL, "sub/b.py": "B = 1"}))

    unpack(path, tmp_path / "out")

    assert (tmp_path / "out" / "model.py").read_text() == MODEL
    assert (tmp_path / "out" / "sub" / "b.py").stat().st_mode & 0o777 == 0o444
    assert format_of(path) == identify(path).format == Format.OWN_CODE


@pytest.mark.parametrize(
    "content",
    [
        zipped({MANIFEST: manifest(), "model.py": MODEL, "../made": "x"}),
        zipped({MANIFEST: manifest(), "model.py": MODEL, "/made": "x"}),
        zipped({MANIFEST: manifest(), "model.py": MODEL, "a": "x", "a/b": "x"}),
        zipped({MANIFEST: manifest("../x.py"), "model.py": MODEL}),
        zipped({MANIFEST: manifest("gone.py"), "model.py": MODEL}),
        zipped({MANIFEST: manifest(7), "model.py": MODEL}),
        zipped({MANIFEST: "[" * 4000, "model.py": MODEL}),
        zipped({MANIFEST: "{}", "model.py": MODEL}),
        zipped({MANIFEST: manifest(), "model.py": MODEL, "bomb": bytes(1 << 20)}, zipfile.ZIP_DEFLATED),
        zipped({MANIFEST: manifest(), "model.py": MODEL})[:-30],
    ],
    ids=["up", "root", "file and folder", "entry", "no entry", "number", "deep", "empty", "bomb", "cut"],
)
def test_an_archive_that_nobody_wrote_is_not_unpacked(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "model"
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(FormatError):
        unpack(path, path.parent / "out")

    assert not (tmp_path / "folder" / "made").exists()
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """A directory may name one piece of the file many times."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(MANIFEST, manifest())
        made.writestr("model.py", MODEL)
        made.writestr("large.bin", bytes(100_000))
        for number in range(9):
            again = zipfile.ZipInfo(f"large{number}.bin")
            large = made.getinfo("large.bin")
            again.header_offset, again.CRC = large.header_offset, large.CRC
            again.file_size = again.compress_size = large.file_size
            made.filelist.append(again)
    path = tmp_path / "model"
    path.write_bytes(file.getvalue())

    with pytest.raises(FormatError, match="more bytes than it has"):
        unpack(path, tmp_path / "out")


@pytest.mark.parametrize(
    "content", [MODEL, "import numpy\n" + MODEL, "# -*- x -*-\r\nclass Model(object):\r\n    x = 1\r\n"]
)
def test_a_module_is_recognized_by_its_text(content: str, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_text(content)

    assert identify(path).format == Format.OWN_CODE


@pytest.mark.parametrize(
    "names", [["model.py"], ["mine/model.py", "mine/words.txt"], ["model.py", "__pycache__/x.pyc"]]
)
def test_a_zip_with_model_py_is_recognized(names: list[str], tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(zipped(dict.fromkeys(names, MODEL), zipfile.ZIP_DEFLATED))

    assert identify(path).format == Format.OWN_CODE


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"def preprocess(rows):\n    return rows\n", "as its part `code`"),
        (b"import os\n", "defines no class Model"),
        (zipped({"model.py": "x = 1"}), "defines no class Model"),
        (zipped({"a/model.py": MODEL, "b/c.py": "x"}), "code of your own with a model.py"),
        (b"class Model: pass\n" + b"#" * (1 << 20), "no model file"),
        (b"class Model: pass\n\xff", "no model file"),
    ],
)
def test_other_texts_and_zips_are_not(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)

    with pytest.raises(UnknownFormat, match=says):
        identify(path)
