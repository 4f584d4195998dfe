"""A fitted estimator as a file that the platform takes, in the format of its own library where it has one."""

from pathlib import Path
from typing import Any, Literal

from modelport.errors import ModelportError

FileFormat = Literal["joblib", "skops"]
# Of boosters that no scikit-learn wrapper holds; by their endings `save_model` knows what to write.
_OF_BOOSTERS = {"xgboost": "ubj", "lightgbm": "txt"}
# Fast, and a forest has a quarter of its size.
_COMPRESSION = ("zlib", 1)


def save(estimator: Any, folder: Path, file_format: FileFormat) -> Path:
    """Write the estimator into the folder and return the file. It blocks. Raises `ModelportError`.

    `file_format`: of what is neither an ONNX model nor a booster of XGBoost or LightGBM.
    """
    from pickle import PicklingError  # Not above: every command would import it.

    path = folder / f"model.{_ending(estimator, file_format)}"
    try:
        _write(estimator, path)
    except ImportError as error:
        raise ModelportError(f"This needs {file_format} ({error}): {_install(file_format)}.") from error
    except (PicklingError, AttributeError, TypeError, ValueError, OSError) as error:
        raise ModelportError(
            f"The {type(estimator).__name__} cannot be saved as {path.name}: {error}. What it holds must be "
            "defined in an installed library: no lambda, no class of a notebook."
        ) from error
    return path


def save_rows(rows: Any, folder: Path) -> Path:
    """Return a CSV file of a data frame; the path of a file as it is. It blocks."""
    if not hasattr(rows, "to_csv"):
        return Path(rows)
    path = folder / "reference.csv"
    rows.to_csv(path, index=False)
    return path


def _ending(estimator: Any, file_format: FileFormat) -> str:
    if hasattr(estimator, "SerializeToString"):
        return "onnx"
    library = type(estimator).__module__.partition(".")[0]
    is_booster = type(estimator).__name__ == "Booster"
    return _OF_BOOSTERS.get(library, file_format) if is_booster else file_format


def _write(estimator: Any, path: Path) -> None:
    match path.suffix:
        case ".onnx":
            path.write_bytes(estimator.SerializeToString())
        case ".ubj" | ".txt":
            estimator.save_model(str(path))
        case ".skops":
            import skops.io

            skops.io.dump(estimator, path)
        case _:
            import joblib

            joblib.dump(estimator, path, compress=_COMPRESSION)


def _install(file_format: FileFormat) -> str:
    return f"pip install 'modelport[{file_format}]'"
