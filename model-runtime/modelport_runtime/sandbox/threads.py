"""Libraries that would start processes, or share memory with them, get threads."""

import multiprocessing.context
import threading


def instead_of_processes() -> None:
    """Let joblib run models that were saved with n_jobs: the sandbox allows neither forks nor /dev/shm."""
    from joblib import parallel

    multiprocessing.context.BaseContext.Lock = lambda _context: threading.Lock()  # type: ignore[assignment,method-assign,return-value]  # a stand-in of another type
    for name in ("loky", "multiprocessing"):
        parallel.BACKENDS[name] = parallel.BACKENDS["threading"]
