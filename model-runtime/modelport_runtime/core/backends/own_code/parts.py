"""What the init container unpacked beside the artifact, and how its modules are imported."""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.machinery import FileFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from modelport_formats.own_code import is_archive
from modelport_formats.own_code.archive import check
from modelport_formats.packed import unpacked

from modelport_runtime.core.backends.packed_archive import read_manifest
from modelport_runtime.core.types import LoadError

_HEAD_BYTES = 64


@dataclass(frozen=True)
class Parts:
    """`entry`: the module that is imported, `model`: the model file; None: there is none of it."""

    folder: Path
    entry: Path | None
    model: Path | None

    def make_importable(self) -> None:
        """Let its modules be found before any other of their names, as those beside a script are."""
        folder = str(self.folder)
        if folder in sys.path:
            return
        sys.path_hooks.insert(0, _finder_below(folder))
        sys.path.insert(0, folder)
        importlib.invalidate_caches()

    def import_entry(self) -> ModuleType | None:
        """Run the entry. What pickles name of `__main__`, a script or notebook, is found in it.

        Raises whatever the code raises.
        """
        if self.entry is None:
            return None
        name = self.entry.stem
        spec = importlib.util.spec_from_file_location(
            name, self.entry, loader=_Loader(name, str(self.entry), str(self.folder))
        )
        if spec is None or spec.loader is None:
            raise LoadError("LoadFailed", f"{self.entry.name} is no module of Python.")
        module = importlib.util.module_from_spec(spec)
        # One that is imported already stays what the libraries know by its name.
        sys.modules.setdefault(name, module)
        sys.modules["__main__"] = module
        spec.loader.exec_module(module)
        return module

    def left_to_find(self, references: Mapping[str, str]) -> dict[str, str]:
        """Return of what the model file names that which is not looked for in the entry."""
        return {
            module: name for module, name in references.items() if module != "__main__" or self.entry is None
        }


def parts_of(path: Path) -> Parts | None:
    """Return the parts of the artifact; None: it is a model file alone. Raises `LoadError`."""
    with path.open("rb") as file:
        if not is_archive(file.read(_HEAD_BYTES)):
            return None
    manifest, folder = read_manifest(path, check), unpacked(path)
    entry, model = (folder / name if name else None for name in (manifest.entry, manifest.model))
    return Parts(folder, entry, model)


class _Loader(SourceFileLoader):
    """Compiles modules under the names that their author knows: traces name no path of the platform."""

    def __init__(self, name: str, path: str, folder: str) -> None:
        super().__init__(name, path)
        self._folder = folder

    def source_to_code(  # type: ignore[override]  # as importlib calls it
        self, data: Any, path: Any, **options: Any
    ) -> Any:
        return super().source_to_code(data, str(path).removeprefix(f"{self._folder}/"), **options)


def _finder_below(folder: str) -> Any:
    def loader(name: str, path: str) -> _Loader:
        return _Loader(name, path, folder)

    of_modules = FileFinder.path_hook((loader, [".py"]))  # type: ignore[arg-type]  # any callable will do

    def hook(path: str) -> Any:
        if path != folder and not path.startswith(f"{folder}/"):
            raise ImportError
        return of_modules(path)

    return hook
