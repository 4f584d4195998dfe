"""Brings images into the node's containerd; each archive once."""

from pathlib import Path

from tests.cluster.commands import run, succeeds
from tests.cluster.host.plan import Places
from tests.cluster.progress import say


def load(places: Places, archive: Path) -> None:
    """An archive that was loaded and has not changed since is not read again."""
    found = archive.stat()
    mark = places.images / f"{archive.name}-{found.st_size}-{found.st_mtime_ns}"
    if mark.exists():
        return
    say(f"Loading {archive.name} ({found.st_size >> 20} MiB)")
    # PyTorch's has three gigabytes.
    run(*_images(places), "import", archive, timeout=600)
    mark.touch()


def remove(places: Places, name: str) -> None:
    """What was unpacked goes with it, once no pod uses it."""
    # It fails where the image is not there.
    succeeds(*_images(places), "remove", "--sync", name, timeout=120)


def _images(places: Places) -> tuple[str, ...]:
    return ("ctr", "--address", str(places.containerd_socket), "--namespace", "k8s.io", "images")
