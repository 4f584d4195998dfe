"""Why a version does not run, as far as its pods report it."""

from dataclasses import dataclass

from modelport_crds.reasons import EXPLANATIONS, Reason

ONCE = 1
"""Would end the same way again: the same bytes, the same limit."""
TWICE = 2
"""May have been bad luck the first time."""


@dataclass(frozen=True)
class Problem:
    """`message`: what happened. `final_after`: how many such endings end the try for good (None: never)."""

    reason: Reason
    message: str
    final_after: int | None = None


def with_cure(reason: Reason, message: str) -> str:
    """Write what happened and then what to do about it."""
    explanation = EXPLANATIONS[reason]
    happened = message.strip() or explanation.meaning
    closed = happened if happened[-1] in ".!?…" else f"{happened}."
    return closed if explanation.cure in closed else f"{closed} {explanation.cure}"
