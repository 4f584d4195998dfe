"""Compiled modules, cached while that is still possible: in the sandbox nothing can be written."""

import importlib
import os
from importlib.util import cache_from_source, find_spec
from pathlib import Path

from modelport_runtime.core.backends import deferred_imports

_IMPORTS_EVERY_ESTIMATOR = "skops.io"


def cache_estimators() -> None:
    """Import what models may name, once, where an installer left scikit-learn uncompiled.

    Models import what they need inside the sandbox, which is quick only if it was compiled before.
    """
    spec = find_spec(_IMPORTS_EVERY_ESTIMATOR)
    if spec is None or spec.origin is None:
        return
    cached = Path(cache_from_source(spec.origin))
    if not cached.exists() and os.access(cached.parent.parent, os.W_OK):
        for name in (_IMPORTS_EVERY_ESTIMATOR, *sorted(deferred_imports.MODULES)):
            importlib.import_module(name)
