"""What a process inherits, put off before anything else: environment, open files, standard input, libraries.

A model can always read its own process's memory and environment, so what must not be known must not be there.
"""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from modelport_runtime.settings import PREFIX

_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "OMP_NUM_THREADS")
_SET = {
    # More threads than one at import would be out of Landlock's reach.
    "OPENBLAS_NUM_THREADS": "1",
    # A thread at import, and files in the home folder.
    "ORT_DISABLE_TELEMETRY": "1",
    # Each arena reserves 64 MiB of the address space that is the memory limit.
    "MALLOC_ARENA_MAX": "2",
}
_DEFAULTS = {
    # Rows come in small batches, and many models share a machine: threads of each would only contend.
    "OMP_NUM_THREADS": "1",
}


def clean_process() -> None:
    """Start anew with a clean environment if it is not, then close what was inherited."""
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


class _WithoutPyarrow(PathFinder):
    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return None if fullname.partition(".")[0] == "pyarrow" else super().find_spec(fullname, path, target)


def hide_pyarrow() -> None:
    """Have this process import what it would where pyarrow is not installed, as in the runtimes' images.

    pandas imports it where it is: it starts threads, which are out of Landlock's reach, takes 40 MiB, and
    makes columns of text another kind.
    """
    sys.meta_path[:] = [_WithoutPyarrow if finder is PathFinder else finder for finder in sys.meta_path]


def clean_environment(environment: dict[str, str]) -> dict[str, str]:
    """Give what a model may know: our own settings, and what tells libraries how to behave."""
    kept = {name: value for name, value in environment.items() if name.startswith(PREFIX) or name in _KEPT}
    return _DEFAULTS | kept | _SET
