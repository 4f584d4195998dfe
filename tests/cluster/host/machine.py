"""One cluster a machine: its addresses, links and control groups are the machine's, not one home's."""

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from tests.cluster.host import stopping
from tests.cluster.host.plan import Places
from tests.cluster.host.processes import ProcessTrouble
from tests.cluster.progress import say

_RECORD = Path("/run/modelport-cluster")
"""Holds the folder of the cluster that was started last, and is locked by the tests that use it."""

_kept: list[TextIO] = []


def keep() -> None:
    """Wait until no other test run uses the cluster, then be the one that does until this process ends."""
    lock = _RECORD.open("a+")
    if not _locked(lock):
        say("Other tests use the cluster of this machine: these begin when those have ended")
        fcntl.flock(lock, fcntl.LOCK_EX)
    # Never closed: the kernel lets go of it when this process is killed, too.
    _kept.append(lock)


def take(places: Places) -> None:
    """Remove another home's cluster, which would be in the way. Raises ProcessTrouble where tests use it."""
    owner = _owner()
    if owner is not None and owner.root != places.root and owner.root.exists():
        be_unused()
        say(f"Removing the cluster in {owner.root}: a machine has one")
        stopping.down(owner)
    _RECORD.write_text(str(places.root))


def be_unused() -> None:
    """Raises ProcessTrouble where tests of another process use the cluster."""
    if _kept or not _RECORD.exists():
        return
    with _RECORD.open("a+") as lock:
        if not _locked(lock):
            raise ProcessTrouble(
                "other tests use the cluster of this machine: wait until they have ended, or end them"
            )


def _locked(lock: TextIO) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _owner() -> Places | None:
    text = _RECORD.read_text() if _RECORD.exists() else ""
    return Places(Path(text)) if text else None
