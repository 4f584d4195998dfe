"""A fitted scikit-learn model as NumPy kernels over plain arrays, proven equal to it before they predict.

The model process converts and proves (`accelerate`, `difference`); the server process, which imports neither
scikit-learn nor what converts it, only reads the plan (`read_plan`).
"""

from typing import TYPE_CHECKING

from modelport_runtime.core.acceleration.outcome import Accelerated, Declined, NotConfirmed, Proof
from modelport_runtime.core.acceleration.plan import PlanRefused
from modelport_runtime.core.types import Call, Prediction

if TYPE_CHECKING:
    from modelport_runtime.core.backends.base import Backend
    from modelport_runtime.core.engine import Engine

__all__ = [
    "Accelerated",
    "Declined",
    "NotConfirmed",
    "PlanRefused",
    "Proof",
    "accelerate",
    "confirm",
    "difference",
    "read_plan",
]


def accelerate(engine: "Engine", *, seconds: float = 1.0, rows: int = 10_000) -> Accelerated | Declined:
    """Convert a loaded model and compare on up to `rows` generated rows within `seconds`. Never raises."""
    from modelport_runtime.core.acceleration.proof import prove

    return prove(engine, seconds=seconds, rows=rows)


def read_plan(data: bytes) -> "Backend":
    """Make a backend of a plan that a hostile model may have written. Raises `PlanRefused`."""
    from modelport_runtime.core.acceleration import backend

    return backend.read_plan(data)


def confirm(kernels: "Engine", shown: bytes) -> int:
    """Compare kernels with the model's answers in `shown`, where other libraries run than at the proof.

    Gives the number of rows. Raises `NotConfirmed`, or whatever comes of untrusted values.
    """
    from modelport_runtime.core.acceleration import shown as proof_rows

    return proof_rows.confirm(kernels, shown)


def difference(original: "Engine", call: Call, prediction: Prediction) -> float | None:
    """Compare a response of the kernels with the original's to the same call.

    Gives the largest difference of their numbers; None if they differ in a label, in form, or by more
    than the proof allows.
    """
    from modelport_runtime.core.acceleration.comparison import difference_of_predictions

    return difference_of_predictions(original, call, prediction)
