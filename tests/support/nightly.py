"""How much is tried: what each change is tested with, or what a night has the time for (`make nightly`)."""

import os
from typing import TypeVar

T = TypeVar("T")


def at_night(usually: T, nightly: T) -> T:
    """Return the second where MODELPORT_NIGHTLY is set."""
    return nightly if os.environ.get("MODELPORT_NIGHTLY") else usually
