"""A folder as one archive, the same bytes for the same files: a tar without times, owners or compression.

What is not compressed never takes more room than the archive, whoever made it.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path

_CHUNK = 1 << 20
_READ_ONLY = 0o444


def pieces(folder: Path) -> Iterator[bytes]:
    """Yield the archive's bytes: the regular files below `folder`, by name. Raises OSError."""
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and not each.is_symlink()):
        yield _header(path, path.relative_to(folder))
        with path.open("rb") as file:
            while piece := file.read(_CHUNK):
                yield piece
        yield bytes(-path.stat().st_size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def size(folder: Path) -> int:
    """Return the bytes of its files, as the archive has them, without what names them."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _header(path: Path, name: Path) -> bytes:
    info = tarfile.TarInfo(name.as_posix())
    info.size, info.mode = path.stat().st_size, _READ_ONLY
    return info.tobuf(tarfile.PAX_FORMAT)
