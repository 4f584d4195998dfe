"""Where files that are made of an upload lie until they are stored."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from modelport_control_api.disk import DiskReserve
from modelport_control_api.uploads.spool import Spool


@dataclass(frozen=True, slots=True)
class Room:
    """`folder`: where they lie. `max_bytes`: how large one may be."""

    folder: Path
    max_bytes: int
    reserve: DiskReserve

    @asynccontextmanager
    async def holding(self, pieces: Iterator[bytes]) -> AsyncIterator[tuple[Path, str, int]]:
        """Yield path, sha256 and size of a file of these bytes, until the end of the context."""
        async with await Spool.create(self.folder, self.max_bytes, self.reserve) as spool:
            await spool.take(pieces)
            yield spool.path, await spool.finish(), spool.size
