"""Methods of a mended estimator: how it gets one that its class lacks, and whether it still has what
is offered.
"""

from inspect import getattr_static
from typing import Any

from modelport_runtime.core.compatibility.versions import Saved
from modelport_runtime.core.engine import describe_error


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


_METHODS = ("predict", "transform", "predict_proba", "decision_function", "score_samples")


def require(model: Any, saved: Saved) -> None:
    """Raise `LoadError` (LibraryMismatch) for a method that fails for want of what its version kept.

    Many methods are there only if what the model holds has them too, so that the rest would go unseen.
    """
    for method in _METHODS:
        if getattr_static(model, method, None) is None:
            continue
        try:
            getattr(model, method)
        except Exception as error:  # an own class may raise anything
            cause = _cause(error)
            if cause is not None:
                kind = type(model).__name__
                raise saved.refusal(f"Its {kind} has no {method} here: {describe_error(cause)}.") from error


def _cause(error: BaseException | None) -> BaseException | None:
    """Return what went wrong inside. Saying by intention that there is no method names none, or a method."""
    while error is not None:
        if not _is_intended(error):
            return error
        error = error.__cause__
    return None


def _is_intended(error: BaseException) -> bool:
    if not isinstance(error, AttributeError):
        return False
    return error.name is None or (error.name in _METHODS and error.obj is not None)
