"""A job's input brought from its address into the job's own files: whole, or not at all."""

import asyncio
import errno
from collections.abc import Sequence
from contextlib import aclosing

from modelport_control_api.batch.sources.errors import InputUnavailable
from modelport_control_api.batch.sources.reading import Reader
from modelport_control_api.batch.storage.files import BatchFiles

_PAUSES = (2.0, 10.0)
# A gigabyte at 10 Mbit/s; a server that is slower on purpose does not hold a worker for a day.
_TOTAL_SECONDS = 900.0
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


class Fetching:
    """`pauses`: seconds before each further try."""

    def __init__(
        self,
        files: BatchFiles,
        reader: Reader,
        *,
        max_bytes: int,
        pauses: Sequence[float] = _PAUSES,
        total_seconds: float = _TOTAL_SECONDS,
    ) -> None:
        self._files = files
        self._reader = reader
        self._max_bytes = max_bytes
        self._pauses = pauses
        self._total_seconds = total_seconds

    async def fetch(self, job_id: str, uri: str) -> int:
        """Give the input's size in bytes. Raises `InputUnavailable`."""
        for pause in self._pauses:
            try:
                return await self._try(job_id, uri)
            except InputUnavailable as error:
                if not error.passes:
                    raise
            await asyncio.sleep(pause)
        return await self._try(job_id, uri)

    async def _try(self, job_id: str, uri: str) -> int:
        try:
            async with (
                asyncio.timeout(self._total_seconds),
                aclosing(self._reader.read(uri, self._max_bytes)) as pieces,
            ):
                size = await self._files.write_input(job_id, pieces)
        except TimeoutError:
            text = f"It was not there within {self._total_seconds:g} seconds: send it as the request's body."
            raise InputUnavailable(text) from None
        except FileNotFoundError as error:
            # The lease was lost meanwhile, and who has it now has begun anew.
            raise OSError("another worker fetches the input") from error
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise InputUnavailable("The platform's disk has no room for it: try again later.") from error
            raise
        if size == 0:
            raise InputUnavailable("It is empty.")
        return size
