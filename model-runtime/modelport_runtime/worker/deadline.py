"""The last limit on loading: the kernel ends the process, whatever the model's code is doing.

By the clock on the wall, and so many times the setting: how long it ran itself is the front's to see
(`load_watch`), which is not there in time on a machine that lets nothing run.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from modelport_runtime.process.starvation import MOST_TIMES

_AFTER_THE_ALARM_SECONDS = 1


def arm(load_timeout_seconds: float) -> None:
    """Let SIGALRM end the process at the last.

    The default action needs nobody's co-operation; a Python handler would wait for the interpreter's lock,
    which a C extension may never give back. Main thread only.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, MOST_TIMES * load_timeout_seconds)


@contextmanager
def watched(load_timeout_seconds: float) -> Iterator[None]:
    """Bound the block a second time, and disarm however it ends. Any thread.

    A model's code can switch the alarm off. It can hold Python's lock too: then the startup probe ends it.
    """
    seconds = MOST_TIMES * load_timeout_seconds + _AFTER_THE_ALARM_SECONDS
    second = threading.Timer(seconds, os._exit, [signal.SIGALRM])
    second.daemon = True
    second.start()
    try:
        yield
    finally:
        second.cancel()
        signal.setitimer(signal.ITIMER_REAL, 0)
