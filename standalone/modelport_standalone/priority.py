"""Lets a process have only the CPU time that nobody else wants."""

import asyncio
import os
from pathlib import Path

# The kernel takes such a change of one user ten times a second.
_TRIES = 10
_AGAIN_SECONDS = 0.11


async def step_back(pid: int, niceness: int) -> None:
    """Return the group of `pid` this niceness, which what it starts later inherits."""
    try:
        os.setpriority(os.PRIO_PGRP, pid, niceness)
    except ProcessLookupError:
        return
    for _ in range(_TRIES):
        if _step_back_as_session(pid, niceness):
            return
        await asyncio.sleep(_AGAIN_SECONDS)


def _step_back_as_session(pid: int, niceness: int) -> bool:
    """Where the kernel shares the CPU among sessions first, niceness counts within one. False: not now."""
    try:
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness))
    except BlockingIOError:
        return False
    except OSError:
        return True  # Not shared so: the processes' own niceness is all there is.
    return True
