"""Which version a request goes to: drawn by the traffic weights, or kept on one side of a split."""

from collections.abc import Sequence
from hashlib import blake2b
from random import random


def choose_version(
    traffic: Sequence[tuple[str, int]], *, model_uid: str, sticky_to: str | None
) -> str | None:
    """Return one version name of `traffic` (name, weight); None: nothing has weight.

    `sticky_to` None: each call is a draw of its own. Else the same version for the same `sticky_to`, which
    moves to another only when the weights move: versions own adjacent ranges in their order.
    """
    if len(traffic) == 1 and traffic[0][1] > 0:
        return traffic[0][0]
    total = sum(weight for _, weight in traffic)
    if total <= 0:
        return None
    # No digest where nothing sticks: each request of a split comes by here.
    point = (random() if sticky_to is None else _point(model_uid, sticky_to)) * total  # noqa: S311 - no secret
    for name, weight in traffic:
        if point < weight:
            return name
        point -= weight
    return next(name for name, weight in reversed(traffic) if weight > 0)


def _point(model_uid: str, sticky_to: str) -> float:
    # The model is hashed in, so that one caller is not in the same tenth of every model's split.
    digest = blake2b(f"{model_uid}\0{sticky_to}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
