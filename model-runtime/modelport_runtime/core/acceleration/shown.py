"""Rows of a proof with the model's answers, for a server process that runs other libraries than the model.

The proof holds for the NumPy that it was made with; before another one serves, it answers the same rows.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from modelport_runtime.core.acceleration.comparison import TOLERANCE, difference_of_predictions, differences
from modelport_runtime.core.acceleration.outcome import NotConfirmed, Shown, ShownCall
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Outputs, Request

_MAX_BYTES = 8 * 1024**2


_decode = msgspec.msgpack.Decoder(list[Shown | ShownCall]).decode


def encode(shown: Sequence[Shown | ShownCall]) -> bytes:
    """Return them as `confirm` takes them; of what is too much every second one. Raises TypeError for values
    that msgpack has no form of."""
    while len(data := msgspec.msgpack.encode(shown)) > _MAX_BYTES and len(shown) > 1:
        shown = shown[::2]
    return data


def confirm(kernels: Engine, data: bytes) -> int:
    """Compare the kernels' answers with those in `data`, which is untrusted; give the number of rows.

    Raises NotConfirmed, MsgspecError, and whatever kernels raise over values that are none.
    """
    if len(data) > _MAX_BYTES:
        raise NotConfirmed("The model's answers to the proof's rows take too much memory.")
    shown = _decode(data)
    for each in shown:
        if isinstance(each, ShownCall):
            _agree(difference_of_predictions(kernels, each.call, each.response) is not None)
        else:
            _compare(kernels, each)
            _compare(kernels, Shown(each.rows[:1], {name: given[:1] for name, given in each.values.items()}))
    rows = sum(1 if isinstance(each, ShownCall) else len(each.rows) for each in shown)
    if not rows:
        raise NotConfirmed("The proof came without rows to repeat it with.")
    return rows


def _compare(kernels: Engine, shown: Shown) -> None:
    original = Outputs(shown.values)
    outputs = kernels.run(Request(shown.rows, single=False, outputs=tuple(shown.values)))
    found = differences(original, outputs, labels=kernels.signature.task == "classifier")
    _agree(len(found) == len(shown.rows) and not (found > TOLERANCE).any())


def _agree(same: bool) -> None:
    if not same:
        raise NotConfirmed(
            f"Where they serve, with NumPy {np.__version__}, the kernels differ from the model."
        )
