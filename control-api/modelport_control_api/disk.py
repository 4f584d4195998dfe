"""Room that is kept on the platform's disks: without any, nobody could log in or delete a model."""

import errno
import shutil
from dataclasses import dataclass
from pathlib import Path

_USUAL_BYTES = 256_000_000
# Of a small disk a fixed reserve would be all there is.
_USUAL_SHARE = 20


@dataclass(frozen=True, slots=True)
class DiskReserve:
    """`bytes` stay free on the disks of `folders`; None: 256 MB, or a twentieth of a smaller disk."""

    bytes: int | None = None
    folders: tuple[Path, ...] = ()

    def has_room(self, more: int = 0) -> bool:
        """Whether the reserve is whole after `more` bytes. Blocking, for microseconds."""
        return all(self._is_whole(folder, more) for folder in self.folders)

    def require(self, more: int = 0) -> None:
        """Raises what a full disk raises."""
        if not self.has_room(more):
            raise OSError(errno.ENOSPC, "what is left of the disk is its reserve")

    def _is_whole(self, folder: Path, more: int) -> bool:
        disk = shutil.disk_usage(folder)
        reserve = min(_USUAL_BYTES, disk.total // _USUAL_SHARE) if self.bytes is None else self.bytes
        return disk.free - more >= reserve


NO_RESERVE = DiskReserve(0)
