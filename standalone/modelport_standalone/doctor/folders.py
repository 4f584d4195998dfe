"""What an upload goes on with: the file, or the model that a folder of another tool holds."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelport_control_api.models.code_uploads import MAX_CODE_BYTES
from modelport_control_api.models.folder_uploads import code_pieces, model_pieces, sample_of_example
from modelport_control_api.sniff.folders.finding import find
from modelport_control_api.sniff.folders.found import ModelFolder
from modelport_control_api.sniff.own_code import Code, modules_of
from modelport_control_api.uploads.form import EmptyFile, larger_than
from modelport_http.wording import counted

from modelport_standalone.doctor.report import Sample

_GIVEN = Sample(False, "the first row of the folder's input example, unless you give one (--sample)")


@dataclass(frozen=True)
class Uploaded:
    """`file`: what the platform would store. `folder`: what it is taken out of; `code`: modules in that."""

    file: Path
    folder: ModelFolder | None = None
    code: Code | None = None


@contextmanager
def as_uploaded(path: Path, most: int) -> Iterator[Uploaded]:
    """Yield what an upload goes on with. Raises a DomainError where the platform refuses it."""
    folder = find(path)
    if folder is None:
        yield Uploaded(path)
        return
    with tempfile.TemporaryDirectory() as temporary:
        file, modules = Path(temporary) / "model", Path(temporary) / "code.zip"
        _write(model_pieces(path, folder), file, most)
        if folder.code is not None:
            _write(code_pieces(path, folder), modules, min(most, MAX_CODE_BYTES))
        yield Uploaded(file, folder, modules_of(modules) if folder.code else None)


def _write(pieces: Iterator[bytes], file: Path, most: int) -> None:
    size = 0
    with file.open("wb") as written:
        for piece in pieces:
            size += written.write(piece)
            if size > most:
                raise larger_than(most)
    if not size:
        raise EmptyFile()


def described(folder: ModelFolder | None) -> str | None:
    """Return the folder in words; None for a file that was given alone."""
    if folder is None:
        return None
    beside = f", with the modules in {folder.code}" if folder.code else " alone"
    files = counted(len(folder.packed), "file")
    what = f"{files} of it go" if folder.packed else f"{folder.model} goes"
    return f"{folder.kind}; {what} on{beside}"


def sample_of(folder: ModelFolder | None) -> Sample | None:
    """Return what the folder gives as the first row; None: nothing."""
    return _GIVEN if folder and not folder.is_made_up and sample_of_example(folder) else None
