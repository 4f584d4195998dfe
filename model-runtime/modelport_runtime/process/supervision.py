"""The model process as its parent sees it: forked, watched, ended; and how the front ends as it did."""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

log = logging.getLogger(__name__)

BROKE_THE_PROTOCOL = 70
"""The exit code of a runtime whose model process sent what makes no sense, or took more than it may:
EX_SOFTWARE of sysexits.h."""

_PARTING_SECONDS = 1.0


def fork(run: Callable[[], object]) -> "Child":
    """Start a process that does `run` and no more. Only while this one has a single thread."""
    sys.stdout.flush()
    # What both have from here on stays shared: the collector would write to all of it.
    gc.collect()
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        _be_the_child(run)
    return Child(pid)


def _be_the_child(run: Callable[[], object]) -> NoReturn:
    code = 1
    try:
        run()
        code = 0
    except BaseException:
        log.exception("model_process_failed")
    finally:
        # Not sys.exit: who called the fork is the parent's, and not to be gone back to.
        _flush()
        os._exit(code)


def _flush() -> None:
    # Whoever read them may have gone; there is nobody left to tell.
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()


class Child:
    """A process of our own. `status` is its exit code, negative for a signal; None while it runs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None
        self._waits: threading.Thread | None = None

    def watch(self, on_exit: Callable[[], None]) -> None:
        """Have `on_exit` called on the running event loop when it has ended."""
        loop = asyncio.get_running_loop()
        self._waits = threading.Thread(target=self._wait, args=(loop, on_exit), name="waitpid", daemon=True)
        self._waits.start()

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it; nothing if it has ended."""
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self) -> None:
        """End it, and wait until it has ended, a moment at most."""
        self.kill()
        if self._waits is not None:
            self._waits.join(_PARTING_SECONDS)

    def _wait(self, loop: asyncio.AbstractEventLoop, on_exit: Callable[[], None]) -> None:
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        # The loop is closed when the child was ended last of all.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(on_exit)


def end_like(status: int) -> NoReturn:
    """End this process at once, as another did: supervisors read reasons from how a runtime ends."""
    logging.shutdown()
    if status >= 0:
        os._exit(status)
    number = -status
    # The kernel spares the first process of a container such a signal: it ends as a shell would say it.
    if os.getpid() != 1:
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(128 + number)
