"""Which modules there will be where a file is read."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from modelport_environments.catalogue import Environment
from modelport_runtime.inspection.libraries import library_of

from modelport_standalone.environments.making import runtime_folders

IsHere = Callable[[str], bool]
# As a runtime has it: neither the folder that the user is in nor PYTHONPATH counts. Nothing else is imported.
_LOOK = """
import sys
from importlib.util import find_spec
from modelport_runtime.process.environment import hide_pyarrow
hide_pyarrow()
print(*filter(find_spec, sys.stdin.read().split()))
"""
_SECONDS = 60


def in_python(python: Path, modules: Iterable[str]) -> IsHere:
    """Return what tells which of the modules that Python has. Blocking."""
    libraries = {library_of(module) for module in modules} - {"__main__"}
    looked = subprocess.run(
        [str(python), "-I", "-X", "utf8", "-c", _LOOK],
        input=" ".join(libraries),
        capture_output=True,
        encoding="utf-8",
        timeout=_SECONDS,
        check=True,
    )
    there = set(looked.stdout.split())
    return lambda module: library_of(module) in there


def in_lock(environment: Environment) -> IsHere:
    """Return what tells which modules an environment will have that has yet to be made."""
    return _among(environment.distributions(), environment.frameworks)


def among_own(distributions: Iterable[str]) -> IsHere:
    """Return what tells which modules a model's own requirements bring.

    Of a package that is not installed here nothing says which modules it has: that is left to the load.
    """
    there = frozenset(distributions)
    known = _among(there, ())
    return lambda module: known(module) or bool(there - _installed())


def _installed() -> frozenset[str]:
    return frozenset(_normal(name) for names in packages_distributions().values() for name in names)


def in_release() -> IsHere:
    """Return what tells which modules the platform's own libraries have, where nothing else is installed."""
    return _among(frozenset(_needed_by(_RUNTIME, _OF_MODELS)), ())


_RUNTIME = "modelport-runtime"
_OF_MODELS = re.compile(r"""extra\s*==\s*["'](?:sklearn|onnx)["']""")
_NAME = re.compile(r"[\w.-]+")


def _needed_by(distribution: str, extras: re.Pattern[str] | None = None) -> Iterator[str]:
    """Yield its name and those of all that it requires, at any depth; of its own extras those that match."""
    seen = {distribution}
    waiting = [(distribution, extras)]
    while waiting:
        name, wanted = waiting.pop()
        yield name
        for each in _requirements(name, wanted):
            if each not in seen:
                seen.add(each)
                waiting.append((each, None))


def _requirements(distribution: str, extras: re.Pattern[str] | None) -> Iterator[str]:
    try:
        required = requires(distribution) or ()
    except PackageNotFoundError:
        return
    for each in required:
        match = _NAME.match(each)
        if match and ("extra ==" not in each or (extras and extras.search(each))):
            yield _normal(match[0])


def _among(distributions: frozenset[str], more: Iterable[str]) -> IsHere:
    of_modules = packages_distributions()
    ours = {*sys.stdlib_module_names, *more, *(folder.name for folder in runtime_folders())}

    def is_there(module: str) -> bool:
        library = library_of(module)
        names = {_normal(name) for name in (library, *of_modules.get(library, ()))}
        return library in ours or not names.isdisjoint(distributions)

    return is_there


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
