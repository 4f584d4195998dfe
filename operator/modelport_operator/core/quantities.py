"""Kubernetes quantities of memory."""

import re
from decimal import Decimal

_FORM = re.compile(r"^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$")
_SUFFIXES: dict[str | None, int] = {
    None: 1,
    **{f"{letter}i": 1024**power for power, letter in enumerate("KMGTP", 1)},
    **{letter: 1000**power for power, letter in enumerate("kMGTP", 1)},
}


def to_bytes(quantity: str) -> int:
    """Read `1Gi` or `500M`. Raises ValueError that says what is accepted."""
    match = _FORM.match(quantity)
    if match is None:
        raise ValueError(
            f"{quantity!r} is not a size of memory: write a number of bytes, or for example 512Mi"
        )
    return int(Decimal(match[1]) * _SUFFIXES[match[2]])
