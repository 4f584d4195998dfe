"""The version of scikit-learn that saved a file, and how it is said that it cannot be served here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from modelport_runtime.core.types import LoadError

_LIBRARY = "scikit-learn"
_OLDEST = (1, 1)
"""Files of older versions were never compared with their own answers."""


@dataclass(frozen=True)
class Saved:
    """The version in the file."""

    version: str
    release: tuple[int, int]

    def before(self, major: int, minor: int) -> bool:
        return self.release < (major, minor)

    def refusal(self, what: str) -> LoadError:
        """what: which part of the model, and what became of it since."""
        here = metadata.version(_LIBRARY)
        return LoadError(
            "LibraryMismatch",
            f"The model was saved with {_LIBRARY} {self.version}; {_LIBRARY} {here} is here. {what} "
            f"Fit and save the model with {_LIBRARY} {here}, or export it to ONNX with the one that made it.",
        )

    def require_known(self) -> None:
        """Raises `LoadError` (LibraryMismatch) for a version that nothing is known of."""
        if self.release < _OLDEST:
            oldest = ".".join(map(str, _OLDEST))
            raise self.refusal(f"What versions before {oldest} would answer is not known here.")


def other_scikit_learn(found: Mapping[str, str]) -> Saved | None:
    """Give the version that saved the file, None if unknown or a release of the one here."""
    version = found.get(_LIBRARY, "")
    release = _release(version)
    if release is None or release == _here():
        return None
    return Saved(version, release)


@cache
def _here() -> tuple[int, int] | None:
    return _release(metadata.version(_LIBRARY))


def _release(version: str) -> tuple[int, int] | None:
    match = re.match(r"(\d{1,4})\.(\d{1,4})", version)
    return (int(match[1]), int(match[2])) if match else None
