"""File descriptors: a connection is one, and the soft limit of most systems is 1024."""

import resource
from contextlib import suppress


def raise_limit() -> None:
    """Allow this process, and what it starts, as many as its hard limit does."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS calls its limit infinite, and refuses to be taken at its word.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
