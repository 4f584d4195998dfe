"""The limit on loading: the kernel ends the process, whatever the model's code is doing."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_AFTER_THE_ALARM_SECONDS = 1


def arm(seconds: float) -> None:
    """Let SIGALRM end the process after so long.

    The default action needs nobody's co-operation; a Python handler would wait for the interpreter's lock,
    which a C extension may never give back. Main thread only.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


@contextmanager
def watched(seconds: float) -> Iterator[None]:
    """Bound the block a second time, and disarm however it ends. Any thread.

    A model's code can switch the alarm off. It can hold Python's lock too: then the startup probe ends it.
    """
    second = threading.Timer(seconds + _AFTER_THE_ALARM_SECONDS, os._exit, [signal.SIGALRM])
    second.daemon = True
    second.start()
    try:
        yield
    finally:
        second.cancel()
        signal.setitimer(signal.ITIMER_REAL, 0)
