"""Folders of an environment that nothing is added to or taken from: what is whole stays as it was proven.

Folders alone: the files are hard links into uv's cache, and a mode is of the file, not of the link.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

_WRITE = 0o222


def seal(folder: Path) -> None:
    """Take the right to write from every folder below; from none for root, who needs no right."""
    for parent, _, _ in os.walk(folder, topdown=False):
        if Path(parent) != folder:
            os.chmod(parent, os.stat(parent).st_mode & ~_WRITE)


def remove(folder: Path) -> None:
    """Remove a folder, sealed or not, with all in it; nothing if it is not there. Raises OSError."""
    for parent, _, _ in os.walk(folder):
        os.chmod(parent, 0o700)
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
