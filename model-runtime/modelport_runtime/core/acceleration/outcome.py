"""What became of a model's conversion to kernels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from modelport_runtime.core.types import Call, Prediction


@dataclass(frozen=True)
class Proof:
    """On how many rows kernels and original agreed, how far they were apart, and how much faster they are."""

    rows_compared: int
    largest_difference: float
    speedup: float


class ShownCall(msgspec.Struct, array_like=True, tag=True):
    """A request and the model's response, of networks, which are compared as far as rounding allows."""

    call: Call
    response: Prediction


class Shown(msgspec.Struct, array_like=True, tag=True):
    """Rows that were predicted together, and the model's answers by output."""

    rows: list[list[Any]]
    values: dict[str, list[Any]]


@dataclass(frozen=True)
class Accelerated:
    """`shown`: some of what was compared, with the original's answers."""

    plan: bytes
    proof: Proof
    shown: Sequence[Shown | ShownCall] = ()


class Differs(Exception):
    """The message completes "The kernels …"."""


@dataclass(frozen=True)
class Declined:
    """Why the original stays, as a sentence for users."""

    detail: str


class NotConfirmed(Exception):
    """Kernels do not answer here as the model did where they were proven. The message is for users."""
