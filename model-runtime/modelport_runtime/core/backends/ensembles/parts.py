"""What the init container unpacked of an ensemble beside the artifact."""

from dataclasses import dataclass
from pathlib import Path

from modelport_formats.ensembles import is_ensemble
from modelport_formats.ensembles.archive import check
from modelport_formats.ensembles.manifest import EnsembleMember, Manifest
from modelport_formats.packed import unpacked

from modelport_runtime.core.backends.packed_archive import read_manifest
from modelport_runtime.core.types import LoadError

_HEAD_BYTES = 64


@dataclass(frozen=True)
class EnsembleParts:
    folder: Path
    manifest: Manifest

    def require_framework(self, framework: str) -> None:
        """Raise `LoadError` for a version of another framework: its process was prepared for that."""
        if framework != "ensemble":
            raise LoadError(
                "FrameworkMismatch", f"The file is an ensemble, and the version's framework is {framework}."
            )

    def file_of(self, member: EnsembleMember) -> Path:
        """Return the model file of one of its members."""
        return self.folder / member.file


def ensemble_of(path: Path) -> EnsembleParts | None:
    """Return the parts of the artifact; None: it is no ensemble. Raises `LoadError`."""
    with path.open("rb") as file:
        if not is_ensemble(file.read(_HEAD_BYTES)):
            return None
    return EnsembleParts(unpacked(path), read_manifest(path, check))
