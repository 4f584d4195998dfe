"""A model's own packages, unpacked from the archive that was made of them: a tar of regular files.

What it claims is not believed, though its digest is known: it was made of what a user chose.
"""

import shutil
import tarfile
from pathlib import Path, PurePosixPath

_READ_ONLY = 0o444


class NoBundle(ValueError):
    """The archive is no bundle; the message says what is wrong with it."""


def unpack(archive: Path, folder: Path) -> None:
    """Write the files, which can be read alone, below `folder`, which is made.

    Raises NoBundle and OSError.
    """
    folder.mkdir()
    try:
        with tarfile.open(archive, "r:") as members:
            for member in members:
                _write(members, member, folder)
    except (tarfile.TarError, EOFError, FileExistsError, NotADirectoryError, UnicodeError) as error:
        raise NoBundle(f"The bundle is damaged: {error}.") from error


def _write(members: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = PurePosixPath(member.name)
    if member.type != tarfile.REGTYPE or member.sparse or name.is_absolute() or ".." in name.parts:
        raise NoBundle(f"The bundle holds {member.name[:80]!r}, which is no file of a package.")
    content = members.extractfile(member)
    if content is None:
        raise NoBundle(f"The bundle holds {member.name[:80]!r} without its content.")
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as written:
        shutil.copyfileobj(content, written)
    target.chmod(_READ_ONLY)
