"""Promises in seconds, tested on a machine that does other things meanwhile."""

import os


def slowness() -> float:
    """How much slower than alone things are, with others at work on the same cores."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
