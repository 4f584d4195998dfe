"""What a process inherits, put off before anything else, and the end that it shares with its parent."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from types import ModuleType

from modelport_runtime.settings import PREFIX

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 1.0


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process with its parent; where it cannot, call `watch_parent` too.

    Raises `OSError`.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # The parent may have died before the call.
    if os.getppid() != parent:
        os._exit(1)


def watch_parent(parent: int) -> None:
    """Watch from a thread where there is no PR_SET_PDEATHSIG."""
    if sys.platform != "linux":
        threading.Thread(target=_watch, args=(parent,), name="parent-death", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os._exit(1)


def leave_stopping_to_the_parent() -> None:
    """A signal to the whole group must not end the model before the server process has drained."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "OMP_NUM_THREADS")
_SET = {
    # More threads than one at import would be out of Landlock's reach.
    "OPENBLAS_NUM_THREADS": "1",
    # The thread that pyarrow starts at import.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # A thread at import, and files in the home folder.
    "ORT_DISABLE_TELEMETRY": "1",
    # Each arena reserves 64 MiB of the address space that is the memory limit.
    "MALLOC_ARENA_MAX": "2",
    # TensorFlow writes errors alone, and looks for no GPU.
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
}
_DEFAULTS = {
    # Rows come in small batches, and many models share a machine: threads of each would only contend.
    "OMP_NUM_THREADS": "1",
}


def clean_process() -> None:
    """Restart with a clean environment if it is not, then close what was inherited."""
    wanted = clean_environment(dict(os.environ))
    if wanted != os.environ:
        # /proc/self/environ is fixed when a program starts: removing a variable later would leave it there.
        os.execve(sys.executable, [sys.executable, "-I", "-m", "modelport_runtime"], wanted)  # noqa: S606  # no shell
    close_all_but(2)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


def close_all_but(*descriptors: int) -> None:
    """Close every file but the standard ones and these."""
    first = 3
    for kept in sorted(descriptors):
        os.closerange(first, kept)
        first = max(first, kept + 1)
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


_READS_PARQUET = "modelport_control_api"


class _WithoutPyarrow(PathFinder):
    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return None if fullname.partition(".")[0] == "pyarrow" else super().find_spec(fullname, path, target)


def hide_pyarrow() -> None:
    """Have this process import what it would where pyarrow is not installed, as in the platform's images.

    pandas imports it where it is: it takes 40 MiB, and makes columns of text another kind. On one machine
    the platform has it for files of its own; an environment that has it, has it for its models.
    """
    if find_spec(_READS_PARQUET) is None:
        return
    sys.meta_path[:] = [_WithoutPyarrow if finder is PathFinder else finder for finder in sys.meta_path]


def clean_environment(environment: dict[str, str]) -> dict[str, str]:
    """Return what a model may know: our own settings, and what configures libraries."""
    kept = {name: value for name, value in environment.items() if name.startswith(PREFIX) or name in _KEPT}
    return _DEFAULTS | kept | _SET
