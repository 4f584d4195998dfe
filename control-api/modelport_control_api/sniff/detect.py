"""Which framework a model file belongs to."""

from pathlib import Path
from typing import get_args

from modelport_crds.mlmodel import Framework
from modelport_formats.identify import Identified, identify
from modelport_formats.signatures import Format

from modelport_control_api.sniff.errors import FrameworkMismatch, as_refusals

FRAMEWORKS: tuple[str, ...] = get_args(Framework)
_ALIASES = {
    "scikit-learn": "sklearn",
    "scikit_learn": "sklearn",
    "lgbm": "lightgbm",
    "xgb": "xgboost",
    "pytorch": "torch",
    "huggingface": "transformers",
    "keras": "tensorflow",
    "tf": "tensorflow",
}
_OF_FORMATS: dict[Format, Framework] = {
    Format.XGBOOST: "xgboost",
    Format.XGBOOST_BINARY: "xgboost",
    Format.LIGHTGBM: "lightgbm",
    Format.ONNX: "onnx",
    Format.CATBOOST: "catboost",
    Format.TORCH: "torch",
    Format.KERAS: "tensorflow",
    Format.KERAS_HDF5: "tensorflow",
    Format.SAVED_MODEL: "tensorflow",
    Format.JAX: "jax",
    Format.TRANSFORMERS: "transformers",
    Format.AUTOGLUON: "autogluon",
    Format.OWN_CODE: "python",
    Format.ENSEMBLE: "ensemble",
}
# The module of the first class that a pickle or a skops file names; any other is read as scikit-learn's.
_OF_MODULES: dict[str, Framework] = {
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "river": "river",
    "statsmodels": "statsmodels",
}


def detect_framework(path: Path, declared: str | None = None) -> Framework:
    """Detect the framework of the file at `path`, and check that `declared` does not contradict it. Blocking.

    Raises UnsupportedFormat, CorruptArtifact or FrameworkMismatch; ValueError for an unknown `declared`.
    """
    wanted = normalize_framework(declared) if declared is not None else None
    found = _identify(path)
    framework = _framework_of(found)
    # Pickles and skops files can hold a framework's scikit-learn wrapper.
    if wanted in (None, framework) or (wanted == "sklearn" and found.format not in _OF_FORMATS):
        return framework
    raise FrameworkMismatch(
        f"model_type is {wanted}, but the file holds a {framework} model. "
        f"Leave model_type out, or give {framework}."
    )


def _identify(path: Path) -> Identified:
    with as_refusals():
        return identify(path)


def _framework_of(found: Identified) -> Framework:
    module = (found.first_class or "").partition(".")[0]
    return _OF_FORMATS.get(found.format) or _OF_MODULES.get(module, "sklearn")


def normalize_framework(declared: str) -> str:
    """Read a model_type as users write it. Raises ValueError naming those known."""
    name = declared.strip().lower()
    name = _ALIASES.get(name, name)
    if name not in FRAMEWORKS:
        raise ValueError(
            f"{declared!r} is not a model_type: give one of {', '.join(FRAMEWORKS)}, or leave it out"
        )
    return name
