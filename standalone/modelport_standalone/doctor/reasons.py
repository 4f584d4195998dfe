"""Why a file runs where it runs, whether it will need a sample, and what it holds: in words."""

from pathlib import Path

from modelport_control_api.sniff.detect import FRAMEWORKS
from modelport_environments.choice import choose, own_of, served_only_by
from modelport_formats.scan import Scan
from modelport_formats.signatures import Format
from modelport_formats.windows import windows

from modelport_standalone.doctor.report import Sample

_MOST_SHOWN = 12


def for_environment(name: str | None, framework: str, found: Scan) -> str:
    """Return why the file runs there. `name`: None for the platform's own libraries."""
    if name is not None:
        only = _served_only(name, found, "there")
        return only or f"the platform has no library of its own for models of {framework}"
    own = own_of(found.versions)
    asked = f"; --environment {own} asks for those that saved it" if own else ""
    named = choose(found.versions, found.references, found.traits) is not None
    return (
        f"{'the upload names no other' if named else 'nothing in the file was found to need others'}{asked}"
    )


def for_naming_one(name: str | None, found: Scan) -> str | None:
    """Return why an upload has to name an environment; None: it has not. `name`: what the platform chose."""
    needed = choose(found.versions, found.references, found.traits)
    if name is not None or needed is None:
        return None
    only = _served_only(needed, found, f"in {needed}")
    return f"{only}: upload it with --environment {needed}, this platform chooses none by itself."


def _served_only(name: str, found: Scan, where: str) -> str:
    only = served_only_by(name, found.references, found.traits)
    if traits := sorted(only & found.traits):
        return f"the platform's XGBoost does not read {_and(traits)}, and the one {where} does"
    return f"{_and(sorted(only))} predicts only {where} what it did when it was saved" if only else ""


# What is no model and no step of one.
_OF_INSIDES = ("sklearn.utils", "sklearn._loss", "sklearn.metrics", "sklearn.tree._tree")


def models_in(found: Scan) -> tuple[str, ...]:
    """Return the classes of libraries of models that the file names, as users write them."""
    names = dict.fromkeys(name for module, name in found.references if _is_model(module, name))
    return (
        *list(names)[:_MOST_SHOWN],
        *([f"{len(names) - _MOST_SHOWN} more"] if len(names) > _MOST_SHOWN else []),
    )


def _is_model(module: str, name: str) -> bool:
    of_library = module.partition(".")[0] not in _OTHERS
    return of_library and name[:1].isupper() and not module.startswith(_OF_INSIDES)


_OTHERS = {"numpy", "joblib", "pandas", "scipy", "builtins", "copyreg", "collections", "datetime", "_loss"}

_OWN_COLUMNS = Sample(False, "none is needed: the file says what a row holds")
_COUNTED_COLUMNS = Sample(
    False, "none is needed; its columns have no names: they are x0, x1 … unless a sample names them"
)
_BY_HINTS = Sample(None, "one of yours (--sample) is needed unless type hints of the code name the columns")
_SAMPLES = {
    Format.XGBOOST: _OWN_COLUMNS,
    Format.XGBOOST_BINARY: _COUNTED_COLUMNS,
    Format.LIGHTGBM: _OWN_COLUMNS,
    Format.TRANSFORMERS: _OWN_COLUMNS,
    Format.AUTOGLUON: _OWN_COLUMNS,
    Format.OWN_CODE: _BY_HINTS,
    Format.ENSEMBLE: Sample(False, "none is needed: it is made of the members' own"),
}
_MADE_UP = "one is made up from the model's columns; give one of yours (--sample) if the model raises on it"
_NAMELESS = "; its columns have no names: they are x0, x1 … unless a sample names them"
_NAMES = b"feature_names_in_"


def for_sample(format_: Format, path: Path, found: Scan) -> Sample:
    """Return whether the upload will have to bring a row."""
    if format_ in _SAMPLES:
        return _SAMPLES[format_]
    return Sample(None, f"{_MADE_UP}{_NAMELESS if _is_nameless(path, found) else ''}")


def _is_nameless(path: Path, found: Scan) -> bool:
    """Other libraries keep names of their own, and texts have none."""
    modules = {module for module, _ in found.references}
    frameworks = {module.partition(".")[0] for module in modules}.intersection(FRAMEWORKS)
    of_texts = any(module.startswith("sklearn.feature_extraction") for module in modules)
    return (
        frameworks == {"sklearn"} and not of_texts and not any(_NAMES in window for window in windows(path))
    )


def _and(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
