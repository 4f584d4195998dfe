"""How a loaded estimator gets a method that its class does not have here."""

from typing import Any

from modelport_runtime.core.compatibility.versions import Saved


def give_methods(estimator: Any, methods: type, saved: Saved) -> None:
    """Put the methods of a class without state over the estimator's own.

    Raises `LoadError` (LibraryMismatch) for an own class: what it does with what it inherits is unknown.
    """
    kind = type(estimator)
    if not kind.__module__.startswith("sklearn."):
        raise saved.refusal(f"Its {kind.__name__} builds on an estimator that answers otherwise since.")
    mix_in(estimator, methods)


def mix_in(estimator: Any, methods: type) -> None:
    """Of another name than scikit-learn's, nothing takes it for what it was: it is not accelerated."""
    kind = type(estimator)
    estimator.__class__ = type(f"Mended{kind.__name__}", (methods, kind), {"__module__": kind.__module__})
