"""What was found of each feature in one window."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Change = Literal["none", "small", "large"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`p_value` is adjusted for the number of features. `summary`: what it was and is, where it changed.

    `change`: "small" is certain, but too little to be drift; "large" is drift.
    """

    name: str
    drifts: bool
    psi: float
    p_value: float
    summary: str = ""
    change: Change = "none"


def write_verdicts(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    return [asdict(verdict) for verdict in verdicts]


def read_verdicts(stored: Sequence[dict[str, Any]]) -> tuple[Verdict, ...]:
    return tuple(Verdict(**verdict) for verdict in stored)
