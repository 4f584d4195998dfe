"""What every framework must give the engine."""

from collections.abc import Callable
from typing import Any, Protocol

from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import Outputs


class Backend(Protocol):
    """One loaded model. `inputs` is whatever its own `assembler` makes of rows; n is the number of rows.

    Any exception out of `predict` is the model's own. A backend may also have `readings(row)`, which gives
    pairs of a signature to try (of a sample, or None) and the backend for it, and `example`: a row that the
    model should predict, where that is known better than from the signature, or None.
    """

    @property
    def signature(self) -> Signature:
        """What the model itself declares; the sample may refine it before `assembler` is called."""

    @property
    def libraries(self) -> dict[str, str]:
        """The packages that run this model, with the versions here."""

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        """Return what turns decoded rows into the model's input."""

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        """Return exactly the outputs wanted, in that order, n JSON values of each.

        Probabilities are an object of class → probability a row, of several labels a list of such objects.
        """
