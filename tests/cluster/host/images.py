"""Brings images into the node's containerd; each archive once."""

from pathlib import Path

from tests.cluster.commands import run
from tests.cluster.host.plan import Places


def load(places: Places, archive: Path) -> None:
    """An archive that was loaded and has not changed since is not read again."""
    found = archive.stat()
    mark = places.images / f"{archive.name}-{found.st_size}-{found.st_mtime_ns}"
    if mark.exists():
        return
    run(
        "ctr", "--address", places.containerd_socket, "-n", "k8s.io", "images", "import", archive, timeout=300
    )
    mark.touch()
