"""From an unpacked folder to a predictor, by AutoGluon itself: its files are pickles."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelport_formats.frameworks.folder_files import marked_as
from modelport_formats.packed import unpacked
from modelport_formats.signatures import Format

from modelport_runtime.core.backends.autogluon.library import TabularPredictor
from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.frames import as_frame
from modelport_runtime.core.responses import keyed, plain
from modelport_runtime.core.signature import Column, Kind, Signature
from modelport_runtime.core.types import LoadError, Outputs

_HEAD_BYTES = 64
_CLASSIFIERS = ("binary", "multiclass")
# As AutoGluon names what a column was at training.
_KINDS: dict[str, tuple[Kind, str]] = {
    "float": ("number", "float64"),
    "int": ("number", "float64"),
    "bool": ("boolean", "object"),
    "object": ("string", "object"),
    "category": ("string", "object"),
    "datetime": ("string", "datetime64[us]"),
}


def load(file: ModelFile) -> Backend:
    """Return the backend of a predictor. See `Framework.load`."""
    with file.path.open("rb") as opened:
        if marked_as(opened.read(_HEAD_BYTES)) is not Format.AUTOGLUON:
            raise LoadError("UnsupportedFormat", "The file is no folder of AutoGluon that was uploaded.")
    folder = unpacked(file.path)
    if not folder.is_dir():
        raise LoadError("CorruptArtifact", "The archive of the folder was not unpacked.")
    return TableBackend(_read(folder), file.libraries)


def _read(folder: Path) -> Any:
    predictor = TabularPredictor.load(
        str(folder),
        verbosity=0,
        require_version_match=False,
        require_py_version_match=False,
        check_packages=False,
    )
    # All of it is in memory then: later no file is opened.
    predictor.persist("best", max_memory=None)
    return predictor


class TableBackend:
    """See `Backend`."""

    # Trees of 32 bits are added in another order in a batch.
    rounding = 1e-5

    def __init__(self, predictor: Any, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        self._predictor = predictor
        if predictor.problem_type not in (*_CLASSIFIERS, "regression"):
            raise LoadError(
                "UnsupportedFormat",
                f"AutoGluon's {predictor.problem_type} is not served, as classes and numbers are.",
            )
        is_classifier = predictor.problem_type in _CLASSIFIERS
        self._classes = tuple(plain(each) for each in predictor.class_labels) if is_classifier else None
        self.signature = Signature(
            task="classifier" if is_classifier else "regressor",
            columns=tuple(_columns(predictor)),
            outputs=("prediction", "probabilities") if is_classifier else ("prediction",),
            classes=self._classes,
        )

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        return as_frame(signature.columns or ())

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        if self._classes is None:
            return Outputs({"prediction": plain(self._predictor.predict(inputs).to_numpy())})
        shares = self._predictor.predict_proba(inputs)
        return Outputs({name: self._read(name, shares) for name in wanted})

    def _read(self, name: str, shares: Any) -> list[Any]:
        if name == "prediction":
            return list(plain(self._predictor.predict_from_proba(shares).to_numpy()))
        return keyed(shares[list(self._predictor.class_labels)].to_numpy(), self._classes or ())


def _columns(predictor: Any) -> list[Column]:
    types = predictor.feature_metadata_in.type_map_raw
    columns = []
    for name in predictor.original_features:
        kind, dtype = _KINDS.get(types.get(name, ""), ("any", "object"))
        columns.append(Column(str(name), kind=kind, dtype=dtype, optional=True))
    return columns
