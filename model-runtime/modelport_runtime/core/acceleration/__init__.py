"""A fitted scikit-learn model as NumPy kernels over plain arrays, proven equal to it before they answer.

The model process converts and proves (`accelerate`, `difference`); the front, which imports neither
scikit-learn nor what converts it, only reads the plan (`read_plan`).
"""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelport_runtime.core.acceleration.plan import PlanRefused
from modelport_runtime.core.types import Answer, Call

if TYPE_CHECKING:
    from modelport_runtime.core.backends.base import Backend
    from modelport_runtime.core.engine import Engine

__all__ = ["Accelerated", "Declined", "PlanRefused", "Proof", "accelerate", "difference", "read_plan"]


@dataclass(frozen=True)
class Proof:
    """On how many rows kernels and original agreed, how far they were apart, and how much faster they are."""

    rows_compared: int
    largest_difference: float
    speedup: float


@dataclass(frozen=True)
class Accelerated:
    plan: bytes
    proof: Proof


@dataclass(frozen=True)
class Declined:
    """Why the original stays, as a sentence for people."""

    detail: str


def accelerate(engine: "Engine", *, seconds: float = 1.0, rows: int = 10_000) -> Accelerated | Declined:
    """Convert a loaded model and compare on up to `rows` generated rows within `seconds`. Never raises."""
    from modelport_runtime.core.acceleration.proof import prove

    return prove(engine, seconds=seconds, rows=rows)


def read_plan(data: bytes) -> "Backend":
    """Make a backend of a plan that a hostile model may have written. Raises `PlanRefused`."""
    from modelport_runtime.core.acceleration.backend import KernelBackend
    from modelport_runtime.core.acceleration.plan import decode
    from modelport_runtime.core.acceleration.validation import validate

    plan = decode(data)
    validate(plan)
    # What overflows is refused or is an answer, as with the original; in the log it tells nobody anything.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module=__name__)
    return KernelBackend(plan)


def difference(original: "Engine", call: Call, answer: Answer) -> float | None:
    """Compare an answer of the kernels with the original's to the same call.

    Gives the largest difference of their numbers; None if they differ in a label, in form, or by more
    than the proof allows.
    """
    from modelport_runtime.core.acceleration.comparison import difference_of_answers

    return difference_of_answers(original, call, answer)
