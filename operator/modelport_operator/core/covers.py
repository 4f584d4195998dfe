"""Is a wanted object there already? The cluster adds defaults of its own, so equality would never hold."""

from typing import Any


def covers(found: Any, wanted: Any) -> bool:
    """True if `found` says all that `wanted` says. What only `found` says is the cluster's business."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            key in found and covers(found[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return _covers_list(found, wanted)
    return bool(found == wanted)


def _covers_list(found: Any, wanted: list[Any]) -> bool:
    if not isinstance(found, list) or len(found) != len(wanted):
        return False
    return all(covers(there, asked) for there, asked in zip(found, wanted, strict=True))
