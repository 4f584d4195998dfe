"""What an upload sends: a fitted estimator as a file, and files as a multipart form, streamed from disk."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Literal

from modelport.errors import InvalidRequest, ModelportError, lacks_extra

OnProgress = Callable[[int, int], None]
"""Called with the bytes sent so far and all bytes of the file."""
Requirements = str | os.PathLike[str] | Sequence[str]
"""The path of a requirements.txt, its lines, or `folder`."""
OF_FOLDER = "folder"
FileFormat = Literal["joblib", "skops"]
# Of boosters that no scikit-learn wrapper holds; by their endings `save_model` knows what to write.
_OF_BOOSTERS = {"xgboost": "ubj", "lightgbm": "txt"}
# Fast, and a forest has a quarter of its size.
_COMPRESSION = ("zlib", 1)


def save_estimator(estimator: Any, folder: Path, file_format: FileFormat) -> Path:
    """Write the estimator into the folder and return the file. It blocks. Raises `ModelportError`.

    `file_format`: of what is no ONNX or Keras model, no program of torch.export and no booster of XGBoost or
    LightGBM.
    """
    from pickle import PicklingError  # Not above: every command would import it.

    path = folder / f"model.{_ending(estimator, file_format)}"
    try:
        _write(estimator, path)
    except ImportError as error:
        raise lacks_extra(file_format, error) from error
    except (PicklingError, AttributeError, TypeError, ValueError, OSError) as error:
        raise ModelportError(
            f"The {type(estimator).__name__} cannot be saved as {path.name}: {error}. What it holds must be "
            "defined in an installed library, or in a module that goes along (code=): no lambda."
        ) from error
    return path


def save_rows(rows: Any, folder: Path) -> Path:
    """Return a CSV file of a data frame; the path of a file as it is. It blocks. Raises `InvalidRequest`."""
    path = folder / "reference.csv"
    if hasattr(rows, "to_csv"):
        rows.to_csv(path, index=False)
    elif hasattr(rows, "write_csv"):  # polars
        rows.write_csv(path)
    elif isinstance(rows, str | os.PathLike):
        return Path(rows)
    else:
        raise InvalidRequest("The reference is a data frame with named columns, or the path of a CSV file.")
    return path


def requirements_text(requirements: Requirements | None) -> str | None:
    """Return what an upload sends of them: of a path what is in the file. Raises `ModelportError`."""
    if requirements is None or requirements == OF_FOLDER:
        return requirements if isinstance(requirements, str) else None
    if not isinstance(requirements, str | os.PathLike):
        return "\n".join(requirements)
    with opened(Path(requirements)) as file:
        try:
            return file.read().decode()
        except UnicodeDecodeError:
            raise ModelportError(f"{requirements} is no text in UTF-8.") from None


@contextmanager
def upload_form(
    path: str | Path,
    *,
    on_progress: OnProgress | None,
    sample: Any,
    reference: str | Path | None = None,
    code: str | Path | None = None,
    **texts: str | None,
) -> Iterator[dict[str, Any]]:
    """The form as httpx takes it, while the files are open. `sample`: a row in JSON's types, or None."""
    fields = {name: text for name, text in texts.items() if text is not None}
    if sample is not None:
        fields["sample"] = json.dumps(sample)
    with ExitStack() as files:
        file = files.enter_context(opened(Path(path)))
        size = os.fstat(file.fileno()).st_size
        sent = _ReportingFile(file, size, on_progress) if on_progress else file
        parts: dict[str, Any] = {"file": (Path(path).name, sent, "application/octet-stream")}
        if reference is not None:
            rows = files.enter_context(opened(Path(reference)))
            parts["reference"] = (Path(reference).name, rows, "text/csv")
        if code is not None:
            modules = files.enter_context(opened(Path(code)))
            parts["code"] = (Path(code).name, modules, "application/octet-stream")
        yield {"data": fields, "files": parts}


def opened(path: Path) -> BinaryIO:
    """Raises ModelportError."""
    try:
        return path.open("rb")
    except OSError as error:
        raise ModelportError(f"{path} cannot be read: {error.strerror}.") from error


class _ReportingFile:
    """A file that reports how far it has been read: httpx sends what it reads, so that is what was sent."""

    def __init__(self, file: BinaryIO, size: int, on_progress: OnProgress) -> None:
        self._file, self._size, self._on_progress = file, size, on_progress

    def read(self, count: int = -1) -> bytes:
        chunk = self._file.read(count)
        self._on_progress(self._file.tell(), self._size)
        return chunk

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(position, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()


def _ending(estimator: Any, file_format: FileFormat) -> str:
    if hasattr(estimator, "SerializeToString"):
        return "onnx"
    if type(estimator).__name__ == "ExportedProgram":
        return "pt2"
    library = type(estimator).__module__.partition(".")[0]
    if any(each.__module__.startswith("keras.") for each in type(estimator).__mro__):
        return "keras"
    is_booster = type(estimator).__name__ == "Booster"
    return _OF_BOOSTERS.get(library, file_format) if is_booster else file_format


def _write(estimator: Any, path: Path) -> None:
    match path.suffix:
        case ".onnx":
            path.write_bytes(estimator.SerializeToString())
        case ".pt2":
            # It is there, for the program is one of its objects.
            import_module("torch.export").save(estimator, path)
        case ".keras":
            estimator.save(path)
        case ".ubj" | ".txt":
            estimator.save_model(str(path))
        case ".skops":
            import skops.io

            skops.io.dump(estimator, path)
        case _:
            import joblib

            joblib.dump(estimator, path, compress=_COMPRESSION)
