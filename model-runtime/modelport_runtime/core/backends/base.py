"""What every framework must give the engine."""

from collections.abc import Callable
from typing import Any, Protocol

from modelport_runtime.core.signature import Signature


class Backend(Protocol):
    """One loaded model. `inputs` is whatever its own `assembler` makes of rows; n is the number of rows.

    Any exception out of `predict` and `probabilities` is the model's own. A backend may also have
    `both(inputs)`, which gives the pair of what these two give, with the work that they share done once.
    """

    @property
    def signature(self) -> Signature:
        """What the model itself tells; the sample may refine it before `assembler` is asked."""

    @property
    def libraries(self) -> dict[str, str]:
        """The packages that run this model, with the versions here."""

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        """Give what turns decoded rows into the model's input."""

    def predict(self, inputs: Any) -> list[Any]:
        """Give n JSON values."""

    def probabilities(self, inputs: Any) -> list[Any]:
        """Give n objects of class → probability (a list of them per row for several outputs)."""
