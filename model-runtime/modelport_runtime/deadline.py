"""The limit on loading: the kernel ends the process, whatever the model's code is doing."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


def arm(seconds: float) -> None:
    """Let SIGALRM end the process after so long.

    The default action needs nobody's co-operation; a Python handler would wait for the interpreter's lock,
    which a C extension may never give back. Main thread only.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def disarm() -> None:
    """Loading has ended in time. Any thread."""
    signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def disarmed_after() -> Iterator[None]:
    """Disarm however the block ends."""
    try:
        yield
    finally:
        disarm()
