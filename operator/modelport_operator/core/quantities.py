"""Kubernetes quantities: reading them, and writing them as the API server does."""

import math
import re
from collections.abc import Sequence
from decimal import Decimal

_FORM = re.compile(r"^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|Pi|n|u|m|k|M|G|T|P)?$")
_BINARY = {f"{letter}i": Decimal(1024**power) for power, letter in enumerate("KMGTP", 1)}
_DECIMAL = {suffix: Decimal(10) ** power for suffix, power in zip("PTGMk", range(15, 0, -3), strict=True)}
_SMALL = {suffix: Decimal(10) ** -power for suffix, power in zip("mun", (3, 6, 9), strict=True)}
_SUFFIXES: dict[str, Decimal] = {"": Decimal(1), **_BINARY, **_DECIMAL, **_SMALL}

_DECIMAL_UNITS = [*_DECIMAL.items(), ("", Decimal(1)), *_SMALL.items()]


def to_bytes(quantity: str) -> int:
    """Read `1Gi` or `500M`. Raises ValueError that says what is accepted."""
    match = _FORM.match(quantity)
    if match is None:
        raise ValueError(
            f"{quantity!r} is not a size of memory: write a number of bytes, or for example 512Mi"
        )
    # `500m` of memory is half a byte to the API server, which is the one to say that this is too little.
    return math.ceil(Decimal(match[1]) * _SUFFIXES[match[2] or ""])


def canonical(quantity: str) -> str:
    """Write it as the API server gives it back: `1000m` is `1`, `1024Mi` is `1Gi`, `0.5` is `500m`.

    What it would refuse stays as it is, for the API server to say so.
    """
    match = _FORM.match(quantity)
    if match is None:
        return quantity
    value = Decimal(match[1]) * _SUFFIXES[match[2] or ""]
    # As the API server does: small or broken numbers of bytes are written decimally.
    binary = match[2] in _BINARY and value >= 1024 and value == int(value)
    units = [*reversed(_BINARY.items()), ("", Decimal(1))] if binary else _DECIMAL_UNITS
    return _written(value, units)


def _written(value: Decimal, units: Sequence[tuple[str, Decimal]]) -> str:
    """In the largest unit that leaves a whole number; what not even the smallest does is rounded up."""
    whole = (f"{int(value / unit)}{suffix}" for suffix, unit in units if value % unit == 0)
    suffix, unit = units[-1]
    return "0" if value == 0 else next(whole, f"{math.ceil(value / unit)}{suffix}")
