"""Libraries that scikit-learn imports with any estimator and few estimators use: loaded at their first use.

`import sklearn.base` brings pandas, scipy.stats and NumPy's test tools, which is more than half of its time
and memory; the linear models bring scipy.optimize. Here scikit-learn's own modules, and no others, are given
a stand-in for these. It loads the real one when anything uses it, so no prediction and no error changes.
`sys.modules` holds nothing but real modules: a model file that names pandas imports it, and "is pandas
imported?" is still true.
"""

import builtins
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

MODULES = {
    "pandas",
    "scipy.stats",
    "scipy.optimize",
    "scipy.interpolate",
    "scipy.spatial.distance",
}
_MEMBERS = {
    "scipy.stats": {"chi2", "gmean", "rankdata", "spearmanr"},
    "scipy.optimize": {"linear_sum_assignment", "linprog", "minimize", "minimize_scalar"},
    "scipy.optimize._linesearch": {"line_search_wolfe2", "scalar_search_wolfe1"},
    "scipy.integrate": {"trapezoid"},
    "scipy.interpolate": {"BSpline"},
}
"""What is only called or read an attribute of. Any other name is imported when it is named, as ever."""
_NUMPY_TOOLS = ("testing", "f2py")
_COPIES_OF_NUMPY = (
    "scipy._lib.array_api_compat.numpy",
    "sklearn.externals.array_api_compat.numpy",
)
"""These copy every attribute that NumPy has, which imports its tools for developers too."""


class Deferred:
    """Stands for a module or a member of one until it is called or an attribute of it is read."""

    def __init__(self, module: str, member: str | None = None) -> None:
        self._module = module
        self._member = member

    def _load(self) -> Any:
        module = importlib.import_module(self._module)
        return module if self._member is None else getattr(module, self._member)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._load(), name)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self._load()(*args, **keywords)


class _Partly:
    """A module as `from module import …` sees it: some names deferred, the others its own."""

    def __init__(self, module: ModuleType | None, deferred: dict[str, Deferred]) -> None:
        self._module = module
        vars(self).update(deferred)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


_bodies_running: set[str] = set()


def _import(
    name: str,
    globals: Any = None,
    locals: Any = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Any:
    """`__import__` for scikit-learn's modules: the ordinary one, but for what stands in their bodies."""
    names = tuple(fromlist or ())
    in_body = level == 0 and globals is not None and globals.get("__name__") in _bodies_running
    given = _import_partly(name, names) if in_body else None
    return builtins.__import__(name, globals, locals, names, level) if given is None else given


_BUILTINS = vars(builtins) | {"__import__": _import}


def _import_partly(module: str, names: tuple[str, ...]) -> Any:
    """Return what `import module` or `from module import names` binds from; None if none of it is
    deferred.
    """
    if module in MODULES and not names:
        # `import a.b` binds a.
        top, _, below = module.partition(".")
        return importlib.import_module(top) if below else Deferred(module)
    deferred = _deferred(module, names)
    if not deferred:
        return None
    others = [name for name in names if name not in deferred]
    return _Partly(builtins.__import__(module, fromlist=others) if others else None, deferred)


def _deferred(module: str, names: tuple[str, ...]) -> dict[str, Deferred]:
    modules = {name: Deferred(f"{module}.{name}") for name in names if f"{module}.{name}" in MODULES}
    members = {name: Deferred(module, name) for name in names if name in _MEMBERS.get(module, ())}
    return modules | members


@contextmanager
def _numpy_without_tools() -> Iterator[None]:
    absent = [name for name in _NUMPY_TOOLS if name not in vars(np)]
    for name in absent:
        setattr(np, name, Deferred(f"numpy.{name}"))
    try:
        yield
    finally:
        for name in absent:
            if isinstance(vars(np)[name], Deferred):
                delattr(np, name)


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = _BUILTINS
        _bodies_running.add(module.__name__)
        try:
            super().exec_module(module)
        finally:
            _bodies_running.discard(module.__name__)


class _CopyLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        with _numpy_without_tools():
            super().exec_module(module)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith("sklearn.") and fullname not in _COPIES_OF_NUMPY:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            loader = _CopyLoader if fullname in _COPIES_OF_NUMPY else _Loader
            spec.loader = loader(fullname, spec.loader.path)
        return spec


def install() -> None:
    """Defer what scikit-learn's modules import from now on, if all of it is there to be imported later."""
    if any(find_spec(library) is None for library in ("pandas", "scipy")):
        return
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
