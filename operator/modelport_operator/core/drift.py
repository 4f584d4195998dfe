"""Whether the cluster has an object as it is wanted."""

from typing import Any


def is_as_wanted(wanted: Any, live: Any) -> bool:
    """All that is wanted is there. What the cluster adds (defaults, status, its own metadata) does not count.

    Builders write values as the API server gives them back: quantities are canonical, ports are numbers.
    """
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(
            is_as_wanted(value, live[key]) if key in live else _is_left_out(value)
            for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(wanted) == len(live)
            and all(is_as_wanted(one, other) for one, other in zip(wanted, live, strict=True))
        )
    return bool(wanted == live)


def _is_left_out(value: Any) -> bool:
    """The API server drops what is empty. Not false and not 0: without them another thing is meant."""
    return value in ("", [], {})
