"""Which versions have a reference, and its bins: fetched in the background, never on a request's way."""

from collections.abc import Callable, Mapping

import httpx
import msgspec
from modelport_process import internal_key
from modelport_process.background import every
from modelport_telemetry.drift import bins as wire
from modelport_telemetry.drift.bins import ReferenceBins
from pydantic import SecretStr

Version = tuple[str, str]
"""Public id of the model, and the version's name."""


class _Known(msgspec.Struct):
    model: str
    version: str
    reference: str


class _KnownReferences(msgspec.Struct):
    references: list[_Known]


class References:
    """`on_change` hears of every version that is to be watched, whenever that changes.

    `key`: MODELPORT_INTERNAL_KEY.
    """

    def __init__(
        self,
        control: httpx.AsyncClient,
        on_change: Callable[[Mapping[Version, ReferenceBins]], None],
        *,
        key: SecretStr | None,
        refresh_seconds: float,
    ) -> None:
        self._control = control
        self._headers = internal_key.show(key)
        self._on_change = on_change
        self._refresh_seconds = refresh_seconds
        self._bins: dict[str, ReferenceBins] = {}

    async def run(self) -> None:
        """Query again and again, until cancelled. While the control API is away, what is known holds."""
        await every(
            self._refresh_seconds,
            self.refresh,
            failed="drift_references_unavailable",
            catches=(httpx.HTTPError, ValueError),
            level="debug",
        )

    async def refresh(self) -> None:
        """Raises `httpx.HTTPError`, or ValueError for a response that makes no sense."""
        response = await self._get("/internal/v1/drift/references")
        known = msgspec.json.decode(response, type=_KnownReferences).references
        for reference in {each.reference for each in known} - self._bins.keys():
            self._bins[reference] = wire.decode(await self._get(f"/internal/v1/drift/bins/{reference}"))
        self._bins = {each.reference: self._bins[each.reference] for each in known}
        self._on_change({(each.model, each.version): self._bins[each.reference] for each in known})

    async def _get(self, path: str) -> bytes:
        response = await self._control.get(path, headers=self._headers)
        response.raise_for_status()
        return response.content
