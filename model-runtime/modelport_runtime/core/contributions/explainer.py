"""What explains one model's rows, in the model process."""

from typing import Any, Protocol

from modelport_runtime.core.contributions.explained import Matrix, Scale


class NotExplained(Exception):
    """The model has no contributions. The message is a sentence for users."""


class Explainer(Protocol):
    """`inputs` is what the backend's assembler makes of `rows`."""

    scale: Scale
    outputs: int
    tolerance: float
    """How exactly its library computes, as part of the largest term."""

    @property
    def cells(self) -> int:
        """Return the work for a row, as numbers to compute."""

    def explain(self, rows: Any, inputs: Any) -> Matrix:
        """Return n × outputs × (columns + 1), the base last."""

    def forget(self) -> None:
        """Free what can be made again."""

    def computed(self, inputs: Any) -> Matrix:
        """Return what the model itself computes and the terms add up to: n × outputs."""
