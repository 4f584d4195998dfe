"""Does a mended model still have what its class offers? Methods go when an attribute is missing inside."""

from inspect import getattr_static
from typing import Any

from modelport_runtime.core.compatibility.versions import Saved
from modelport_runtime.core.engine import describe_error

_ASKED = ("predict", "transform", "predict_proba", "decision_function", "score_samples")


def require(model: Any, saved: Saved) -> None:
    """Raise `LoadError` (LibraryMismatch) for a method that fails for want of what its version kept.

    Many methods are there only if what the model holds has them too, so that the rest would go unseen.
    """
    for method in _ASKED:
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
    """Give what went wrong inside. Saying by intention that there is no method names none, or a method."""
    while error is not None:
        if not _is_intended(error):
            return error
        error = error.__cause__
    return None


def _is_intended(error: BaseException) -> bool:
    if not isinstance(error, AttributeError):
        return False
    return error.name is None or (error.name in _ASKED and error.obj is not None)
