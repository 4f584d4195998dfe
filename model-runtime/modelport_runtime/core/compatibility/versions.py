"""The version of a library that saved a file, and the error where it cannot be served here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from modelport_runtime.core.types import LoadError

_SCIKIT_LEARN = "scikit-learn"
_OLDEST = (1, 1)
"""Files of older versions were never compared with their own predictions."""
_MENDED_FOR = (1, 9)
"""What is mended, is for this version and newer ones: an environment of an older one serves its own files."""


@dataclass(frozen=True)
class Saved:
    """The version in the file."""

    version: str
    release: tuple[int, int]
    library: str = _SCIKIT_LEARN

    def before(self, major: int, minor: int) -> bool:
        """Whether the file is older than this release of its library."""
        return self.release < (major, minor)

    def is_here_since(self, major: int, minor: int) -> bool:
        """Whether the library here is of this release or newer."""
        here = release_of(version_here(self.library))
        return here is not None and here >= (major, minor)

    def refusal(self, what: str) -> LoadError:
        """what: which part of the model, and what became of it since."""
        library, here = self.library, version_here(self.library)
        return LoadError(
            "LibraryMismatch",
            f"The model was saved with {library} {self.version}; {library} {here} is here. {what} "
            f"Fit and save the model with {library} {here}, or export it to ONNX with the one that made it.",
        )

    def require_known(self) -> None:
        """Raises `LoadError` (LibraryMismatch) for a version that nothing is known of."""
        if self.release < _OLDEST:
            oldest = ".".join(map(str, _OLDEST))
            raise self.refusal(f"What versions before {oldest} would predict is not known here.")
        self.require_not_newer()
        here = _release_here()
        if here is not None and here < _MENDED_FOR:
            raise self._of_another_environment()

    def _of_another_environment(self) -> LoadError:
        library, own = self.library, ".".join(map(str, self.release))
        return LoadError(
            "LibraryMismatch",
            f"The model was saved with {library} {self.version}; {library} {version_here(library)} is here. "
            f"This environment serves files of its own version alone; the file's is sklearn-{own}.",
        )

    def require_not_newer(self) -> None:
        """Raises `LoadError` (LibraryMismatch): what a later version changed nobody here can know."""
        here = release_of(version_here(self.library))
        if here is not None and self.release > here:
            raise self.refusal("What newer versions would predict is not known here.")


def other_scikit_learn(found: Mapping[str, str]) -> Saved | None:
    """Return the version that saved the file, None if unknown or a release of the one here."""
    saved = saved_by(_SCIKIT_LEARN, found)
    return None if saved is None or saved.release == _release_here() else saved


def saved_by(library: str, found: Mapping[str, str]) -> Saved | None:
    """Return the version of the library that saved the file, None if it names none."""
    version = found.get(library, "")
    release = release_of(version)
    return None if release is None else Saved(version, release, library)


# A library as a file's metadata names it → the distributions that may provide it.
_DISTRIBUTIONS = {
    _SCIKIT_LEARN: (_SCIKIT_LEARN,),
    "xgboost": ("xgboost", "xgboost-cpu"),
    "catboost": ("catboost",),
    "torch": ("torch",),
}


@cache
def installed(library: str) -> str | None:
    """Return the version of the library here; None: it is not here, or no file's version says anything."""
    for distribution in _DISTRIBUTIONS.get(library, ()):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None


def version_here(library: str) -> str:
    """Return the installed version of a library that is here. Raises PackageNotFoundError."""
    version = installed(library)
    if version is None:
        raise metadata.PackageNotFoundError(library)
    return version


def _release_here() -> tuple[int, int] | None:
    return release_of(version_here(_SCIKIT_LEARN))


def release_of(version: str) -> tuple[int, int] | None:
    """Return major and minor; None for what is no version."""
    match = re.match(r"(\d{1,4})\.(\d{1,4})", version)
    return (int(match[1]), int(match[2])) if match else None
