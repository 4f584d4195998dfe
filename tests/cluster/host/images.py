"""Brings images into the node's containerd; each archive once."""

from pathlib import Path

from tests.cluster.commands import run
from tests.cluster.host.plan import Places
from tests.cluster.progress import say


def load(places: Places, archive: Path) -> None:
    """An archive that was loaded and has not changed since is not read again."""
    found = archive.stat()
    mark = places.images / f"{archive.name}-{found.st_size}-{found.st_mtime_ns}"
    if mark.exists():
        return
    say(f"Loading {archive.name} ({found.st_size >> 20} MiB)")
    containerd = ("--address", str(places.containerd_socket), "--namespace", "k8s.io")
    run("ctr", *containerd, "images", "import", archive, timeout=300)
    mark.touch()
