"""The model process as its parent sees it: forked, watched, ended in time, whatever a model does to
itself.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from modelport_runtime.process.starvation import Schedule

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
        run_and_exit(run)
    return Child(pid)


def spawn(
    python: Path, module: str, arguments: Sequence[int], descriptors: Sequence[socket.socket]
) -> "Child":
    """Start another Python that has these descriptors at the same numbers, beside the standard ones.

    `module` gets the numbers after `arguments`. Raises OSError. What else is open has to be closed at exec,
    as all is that Python opens.
    """
    for each in descriptors:
        each.set_inheritable(True)
    numbers = (*arguments, *(each.fileno() for each in descriptors))
    return Child(os.posix_spawn(python, [str(python), "-I", "-m", module, *map(str, numbers)], os.environ))


def run_and_exit(run: Callable[[], object]) -> NoReturn:
    """Do `run`, then end the process at once: with 0, or with 1 and a trace in the log if it raised."""
    code = 1
    try:
        run()
        code = 0
    except BaseException:
        log.exception("model_process_failed")
    finally:
        # Not sys.exit: who called a fork is the parent's, and not to be gone back to.
        _flush()
        os._exit(code)


def _flush() -> None:
    # The reader may have gone; there is nobody left to report it to.
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
    # The kernel spares the first process of a container such a signal: it ends as a shell would report it.
    if os.getpid() != 1:
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(128 + number)


_LEAST_PAUSE_SECONDS = 0.1
_AFTER_THE_ALARM_SECONDS = 1.0


class LoadWatch:
    """`begin`, and `end` once the model has loaded. Time in which others had its processor does not count.

    It ends as by an alarm of its own; how long that may take at most is for the alarm to decide (`deadline`).
    """

    def __init__(self, child: Child, schedule: Schedule, seconds: float) -> None:
        self.is_over = False
        """The child was ended for it."""
        self._child = child
        self._schedule = schedule
        self._seconds = seconds
        self._began = self._had_waited = 0.0
        self._due: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._began, self._had_waited = loop.time(), self._schedule.waited()
        self._due = loop.call_later(self._seconds, self._look)

    def end(self) -> None:
        if self._due is not None:
            self._due.cancel()
        self._schedule.close()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        passed = loop.time() - self._began
        left = self._seconds - passed + self._schedule.waited() - self._had_waited
        if left > 0 and self._child.status is None:
            self._due = loop.call_later(max(left, _LEAST_PAUSE_SECONDS), self._look)
            return
        self.is_over = self._child.status is None
        self._child.kill(signal.SIGALRM)
        # A model can have itself spared that one.
        self._due = loop.call_later(_AFTER_THE_ALARM_SECONDS, self._child.kill)
