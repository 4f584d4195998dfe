"""What became of a model's conversion to kernels."""

from dataclasses import dataclass


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


class Differs(Exception):
    """The message completes "The kernels …"."""


@dataclass(frozen=True)
class Declined:
    """Why the original stays, as a sentence for users."""

    detail: str
