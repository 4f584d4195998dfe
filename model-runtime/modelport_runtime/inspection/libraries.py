"""Are the libraries, modules and private names that a file was saved with the ones that are here?"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from importlib.util import find_spec

from modelport_runtime.core.compatibility.versions import installed
from modelport_runtime.core.types import LoadError

_STRAYS = {"_loss": "sklearn", "copy_reg": "copyreg", "__builtin__": "builtins"}
"""Modules that files name otherwise: scikit-learn 1.5 to 1.8 as if they stood alone, pickle's protocols 0 to
2 as Python 2 called them."""
_ON_MODULE = re.compile(r"attribute '?([\w.]+)'? on <module '([\w.]+)'")
_OF_MODULE = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
_FROM_MODULE = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")


def is_here(module: str) -> bool:
    """True if what the module belongs to is installed."""
    return find_spec(library_of(module)) is not None


def moved(chain: Iterable[BaseException]) -> LoadError | None:
    """Report a module or a name that is missing in a library which is here (LibraryMismatch)."""
    for link in chain:
        module = _module_of(link)
        if module and module != "__main__" and (version := _version_of(module)):
            return LoadError(
                "LibraryMismatch",
                f"The file names {_named(link, module)}, which {version} here does not have: the model was "
                f"saved with another version. Save it again with {version}, or export it to ONNX.",
            )
    return None


def _named(link: BaseException, module: str) -> str:
    name = _missing_name(link)
    return f"{module}.{name}" if name else module


def _module_of(link: BaseException) -> str | None:
    if isinstance(link, ModuleNotFoundError):
        return link.name
    match = _match(link)
    return match[0] if match else None


def _missing_name(link: BaseException) -> str | None:
    match = None if isinstance(link, ModuleNotFoundError) else _match(link)
    return match[1] if match else None


def _match(link: BaseException) -> tuple[str, str] | None:
    """Return module and name of what unpickling looked for in vain."""
    if not isinstance(link, AttributeError | ImportError):
        return None
    text = str(link)
    if found := _OF_MODULE.search(text):
        return found[1], found[2]
    if found := _ON_MODULE.search(text) or _FROM_MODULE.search(text):
        return found[2], found[1]
    return None


def library_of(module: str) -> str:
    """Return the top module of the library that a module belongs to."""
    top = module.partition(".")[0]
    return _STRAYS.get(top, top)


@cache
def _version_of(module: str) -> str | None:
    """Return the installed distribution that has the module, with its version."""
    for distribution in metadata.packages_distributions().get(library_of(module), ()):
        return f"{distribution} {metadata.version(distribution)}"
    return None


_OF_TABLES = (
    " pandas keeps texts in it, and the model keeps some: fit it on NumPy arrays, or on columns, and with "
    "names of them, of dtype object (`astype(object)`), and save it again."
)


_WITHOUT_SCIKIT_LEARN = {"catboost", "river", "statsmodels", "tensorflow", "keras", "torch"}


def check_modules(references: Mapping[str, str], is_there: Callable[[str], bool] | None = None) -> None:
    """Raise `LoadError` (MissingModule) for the first module that is not here, the model's own before those
    of what it keeps. `module` → one name of it. `is_there`: in another Python than this one."""
    found = is_there or is_here
    missing = []
    for module, name in references.items():
        if module == "__main__":
            raise defined_in_main(name)
        if not found(module):
            missing.append(module)
    if missing:
        raise missing_module(min(missing, key=_is_of_tables))


def missing_module(name: str) -> LoadError:
    """Return the error for a module that is not installed; for one of pyarrow it says how to do without."""
    return LoadError(
        "MissingModule",
        f"The model needs the Python module {name!r}, which this runtime does not have."
        f"{_OF_TABLES if _is_of_tables(name) else _of_another(name)}",
    )


def _of_another(module: str) -> str:
    """Say what becomes of a scikit-learn pipeline around a model of a library that is elsewhere."""
    library = library_of(module)
    if library not in _WITHOUT_SCIKIT_LEARN:
        return ""
    return (
        f" Models of {library} run in an environment of their own, which has no scikit-learn: save the "
        f"{library} model alone, and upload that."
    )


def _is_of_tables(module: str) -> bool:
    return module.partition(".")[0] == "pyarrow"


def defined_in_main(name: str) -> LoadError:
    """Return the error for a class or function that a notebook or script had. `name`: without its module."""
    return LoadError(
        "MissingModule",
        f"The model needs {name!r}, which was defined in a notebook or script (module __main__) and is not "
        "in the file.",
    )


@dataclass(frozen=True)
class Inspected:
    """Library versions in the file, those of the same libraries here, and how they differ, in words."""

    found: dict[str, str] = field(default_factory=dict)
    here: dict[str, str] = field(default_factory=dict)
    differences: tuple[str, ...] = ()


def _is_of(found: str, here: str) -> bool:
    """Some formats name a release without its patch."""
    return f"{here}.".startswith(f"{found}.")


def compare(found: dict[str, str]) -> Inspected:
    """Set the versions found beside those here, with a sentence for each that differs."""
    here = {name: version for name in found if (version := installed(name))}
    differences = tuple(
        f"The model was saved with {name} {found[name]}; {name} {here[name]} is here."
        for name in here
        if not _is_of(found[name], here[name])
    )
    return Inspected(found, here, differences)


def together(several: Iterable[Inspected]) -> Inspected:
    """Return what was found of several files; of a library that they name in two versions, the first."""
    found: dict[str, str] = {}
    here: dict[str, str] = {}
    differences: dict[str, None] = {}
    for each in several:
        found, here = each.found | found, each.here | here
        differences |= dict.fromkeys(each.differences)
    return Inspected(found, here, tuple(differences))
