"""How much each column of a row contributed to its prediction."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelport_runtime.core.engine import Engine

__all__ = ["forget_contributions", "offer_contributions"]


def offer_contributions(engine: "Engine") -> None:
    """Let a loaded model's engine return contributions too, if it has any that add up. Never raises."""
    # Only in the model process: it imports what takes models apart.
    from modelport_runtime.core.contributions.offering import offer_contributions as offer

    offer(engine)


def forget_contributions(engine: "Engine") -> None:
    """Free what contributions alone need: most models are never asked for them, and it is made again."""
    from modelport_runtime.core.contributions.backend import ExplainedBackend

    if isinstance(engine.backend, ExplainedBackend):
        engine.backend.forget()
