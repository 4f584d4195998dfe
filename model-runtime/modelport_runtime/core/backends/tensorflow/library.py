"""Imports TensorFlow and what of it every model needs, while the process still has its rights.

TensorFlow imports all that it has at once: its second API for version 1, its mobile interpreter, its TPUs. No
model here uses those, and they are a fifth of the time. They are imported when anything reads from them.
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

_SELDOM = re.compile(
    r"tensorflow\._api\.v2\.(compat(\.v[12])?|lite|__internal__\.(feature_column|tpu)|feature_column|tpu|mlir|xla"
    r"|experimental|summary|profiler|queue)"
)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if _SELDOM.fullmatch(fullname) else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def _quiet() -> Iterator[None]:
    """TensorFlow writes two paragraphs about how it computes, whatever it is told of logs."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


# What TensorFlow imports for its own tests looks for a folder to write to, and fails in a pod without one.
os.environ.setdefault("TEST_TMPDIR", os.devnull)
if "tensorflow" not in sys.modules:
    sys.meta_path.insert(0, _Finder())
with _quiet():
    import h5py  # noqa: F401
    import keras  # noqa: F401
    import tensorflow  # noqa: F401
    from keras.src.legacy.saving import legacy_h5_format  # noqa: F401
    from keras.src.saving import saving_lib  # noqa: F401
