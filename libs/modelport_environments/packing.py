"""A folder as one archive, the same bytes for the same files: a tar without times, owners or compression.

What is not compressed never takes more room than the archive, whoever made it.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path

_CHUNK = 1 << 20
_READ_ONLY = 0o444
_END = 2 * tarfile.BLOCKSIZE


def pieces(folder: Path) -> Iterator[bytes]:
    """Yield the archive's bytes: the regular files below `folder`, by name. Raises OSError."""
    for path in _files(folder):
        yield _header(path, folder)
        with path.open("rb") as file:
            while piece := file.read(_CHUNK):
                yield piece
        yield bytes(_padding(path))
    yield bytes(_END)


def size(folder: Path) -> int:
    """Return how many bytes the archive has. Raises OSError."""
    sizes = (len(_header(path, folder)) + path.stat().st_size + _padding(path) for path in _files(folder))
    return sum(sizes) + _END


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _header(path: Path, folder: Path) -> bytes:
    info = tarfile.TarInfo(path.relative_to(folder).as_posix())
    info.size, info.mode = path.stat().st_size, _READ_ONLY
    return info.tobuf(tarfile.PAX_FORMAT)


def _padding(path: Path) -> int:
    return -path.stat().st_size % tarfile.BLOCKSIZE
