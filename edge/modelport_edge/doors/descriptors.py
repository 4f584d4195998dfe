"""File descriptors: a connection is one, and the soft limit of most systems is 1024."""

import resource


def raise_limit() -> None:
    """Allow this process, and what it starts, as many as its hard limit does."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
