"""What an upload goes on with: the file, or the model file that an MLflow folder holds."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelport_control_api.models.mlflow_uploads import sample_of_example
from modelport_control_api.sniff.archived import pieces_of
from modelport_control_api.sniff.mlflow.folder import MlflowFolder, find
from modelport_control_api.uploads.form import EmptyFile, larger_than

from modelport_standalone.doctor.report import Sample

_GIVEN = Sample(False, "the first row of the folder's input example, unless you give one (--sample)")


@contextmanager
def as_uploaded(path: Path, most: int) -> Iterator[tuple[Path, MlflowFolder | None]]:
    """Yield the file that the platform would store, and the folder that it is taken out of.

    Raises a DomainError where the platform refuses it.
    """
    folder = find(path)
    if folder is None:
        yield path, None
        return
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "model"
        _take_out(path, folder, file, most)
        yield file, folder


def _take_out(path: Path, folder: MlflowFolder, file: Path, most: int) -> None:
    size = 0
    with file.open("wb") as written:
        for piece in pieces_of(path, folder.file):
            size += written.write(piece)
            if size > most:
                raise larger_than(most)
    if not size:
        raise EmptyFile()


def described(folder: MlflowFolder | None) -> str | None:
    """Return the folder in words; None for a file that was given alone."""
    return f"MLflow's, flavor {folder.flavor}; {folder.file} goes on alone" if folder else None


def sample_of(folder: MlflowFolder | None) -> Sample | None:
    """Return what the folder gives as the first row; None: nothing."""
    return _GIVEN if folder and sample_of_example(folder.row) else None
