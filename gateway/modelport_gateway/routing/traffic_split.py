"""Which version a request goes to: the traffic weights, with each caller kept on one side of a split."""

from collections.abc import Sequence
from hashlib import blake2b


def choose_version(traffic: Sequence[tuple[str, int]], *, model_uid: str, sticky_to: str) -> str | None:
    """Return one version name of `traffic` (name, weight), the same for the same `sticky_to`.

    None: nothing has weight. A caller moves to another version only when the weights move: versions own
    adjacent ranges in their order.
    """
    if len(traffic) == 1 and traffic[0][1] > 0:
        return traffic[0][0]
    total = sum(weight for _, weight in traffic)
    if total <= 0:
        return None
    point = _point(model_uid, sticky_to) * total
    for name, weight in traffic:
        if point < weight:
            return name
        point -= weight
    return next(name for name, weight in reversed(traffic) if weight > 0)


def _point(model_uid: str, sticky_to: str) -> float:
    # The model is hashed in, so that one caller is not in the same tenth of every model's split.
    digest = blake2b(f"{model_uid}\0{sticky_to}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
