"""Whether the cluster has an object as it is wanted."""

from typing import Any


def is_as_wanted(wanted: Any, live: Any) -> bool:
    """All that is wanted is there. What the cluster adds (defaults, status, its own metadata) does not count.

    May say no where the cluster only writes a value differently; applying it then changes nothing.
    """
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(
            key in live and is_as_wanted(value, live[key]) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(wanted) == len(live)
            and all(is_as_wanted(one, other) for one, other in zip(wanted, live, strict=True))
        )
    return bool(wanted == live)
